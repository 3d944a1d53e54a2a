#include "certificates.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace trine::images {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> places(const std::string& name) {
  std::vector<std::string> result;
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config != nullptr)
    result.push_back(std::string(config) + "/containers/certs.d/" + name);
  else if (home != nullptr)
    result.push_back(std::string(home) + "/.config/containers/certs.d/" + name);
  result.push_back("/etc/containers/certs.d/" + name);
  result.push_back("/etc/docker/certs.d/" + name);
  return result;
}

void add_file(HttpHost& host, const std::string& path) {
  if (path.ends_with(".crt")) {
    host.authorities += base::read_file(path) + "\n";
  } else if (path.ends_with(".cert")) {
    const std::string key = path.substr(0, path.size() - 5) + ".key";
    if (::access(key.c_str(), R_OK) != 0)
      base::throw_errno("cannot use the certificate " + path + ": its key " + key);
    host.client_certificate = path;
    host.client_key = key;
  }
}

}  // namespace

void add_certificates(HttpHost& host, const std::string& name, const std::string& directory) {
  const auto candidates = directory.empty() ? places(name) : std::vector<std::string>{directory};
  for (const auto& candidate : candidates) {
    const std::unique_ptr<DIR, CloseDirectory> open(::opendir(candidate.c_str()));
    if (open == nullptr)
      continue;
    std::vector<std::string> files;
    while (const dirent* entry = ::readdir(open.get()))
      files.push_back(candidate + "/" + entry->d_name);
    std::ranges::sort(files);
    for (const auto& file : files)
      add_file(host, file);
    return;
  }
  if (!directory.empty())
    base::throw_errno("cannot read the certificates in " + directory);
}

}  // namespace trine::images
