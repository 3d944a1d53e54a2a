#include "store_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/remove_tree.h"
#include "base/unique_fd.h"
#include "layout.h"

namespace trine::images {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

std::vector<std::string> entries(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
  }
  std::ranges::sort(names);
  return names;
}

std::string read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

std::vector<std::string> record_ids(const std::string& root) {
  std::vector<std::string> ids;
  for (const auto& file : entries(root + "/images")) {
    if (file.ends_with(kRecordSuffix) && !file.starts_with('.'))
      ids.push_back(file.substr(0, file.size() - kRecordSuffix.size()));
  }
  return ids;
}

std::optional<Record> read_record(const std::string& root, const std::string& hex) {
  const std::string file = root + "/images/" + hex + std::string(kRecordSuffix);
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT)
      return std::nullopt;
    base::throw_errno("cannot open " + file);
  }
  Record record = parse_record(base::read_all(fd.get(), file, kMaxRecord), file);
  for (const auto& layer : record.layers)
    record.image.layers.push_back(root + "/layers/" + layer);
  return record;
}

std::vector<std::string> names_of(const std::string& root, const std::string& hex) {
  std::vector<std::string> names;
  for (const auto& file : entries(root + "/names")) {
    if (read_link(root + "/names/" + file) == hex)
      names.push_back(name_of_file(file));
  }
  return names;
}

void remove_below(const std::string& directory, const std::string& name) {
  const base::UniqueFd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (parent)
    base::remove_tree(parent.get(), name);
}

bool collect(const std::string& root) {
  const base::UniqueFd lock(::open((root + "/gc.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return false;
  std::set<std::string> layers;
  std::set<std::string> documents;
  for (const auto& hex : record_ids(root)) {
    const auto record = read_record(root, hex);
    if (!record)
      continue;
    layers.insert(record->layers.begin(), record->layers.end());
    documents.insert(hex);
    documents.insert(digest_hex(record->image.id));
  }
  for (const auto& layer : entries(root + "/layers")) {
    if (!layers.contains(layer))
      remove_below(root + "/layers", layer);
  }
  for (const auto& sum : entries(root + "/sums")) {
    if (!layers.contains(sum))
      ::unlink((root + "/sums/" + sum).c_str());
  }
  for (const auto& idle : entries(root + "/locks"))
    ::unlink((root + "/locks/" + idle).c_str());
  for (const char* kind : {"/manifests", "/configs", "/signers"}) {
    for (const auto& document : entries(root + kind)) {
      if (!documents.contains(document))
        ::unlink((root + kind + "/" + document).c_str());
    }
  }
  for (const auto& dead : entries(root + "/tmp"))
    remove_below(root + "/tmp", dead);
  return true;
}

}  // namespace trine::images
