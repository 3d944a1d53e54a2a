#include <unistd.h>

#include <memory>
#include <utility>

#include "archive_policy.h"
#include "base/error.h"
#include "base/file.h"
#include "export/commands.h"
#include "images/name.h"
#include "importer.h"

namespace trine::images {
namespace {

/// "DIR:TAG" -> both; a colon that belongs to the path stays, when there is such a file.
std::pair<std::string, std::string> split_tag(const std::string& text) {
  if (::access(text.c_str(), F_OK) == 0)
    return {text, ""};
  const auto slash = text.find_last_of('/');
  const auto colon = text.find(':', slash == std::string::npos ? 0 : slash);
  if (colon == std::string::npos)
    return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::vector<ImageSource> read(const Command& command, const std::string& temporary,
                              std::unique_ptr<FileSet>& files) {
  const std::string& source = command.words.front();
  const Platform& platform = command.platform;
  const auto colon = source.find(':');
  const std::string transport = source.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : source.substr(colon + 1);
  if (transport == "dir") {  // holds one image: what stands behind it is all path
    require_loadable(command.signature_policy, transport, rest, "");
    files = open_directory(rest);
    return read_dir(*files, platform, rest);
  }
  const auto [path, tag] = split_tag(rest);
  if (transport == "oci") {
    require_loadable(command.signature_policy, transport, path, tag);
    files = open_directory(path);
    return read_oci_layout(*files, tag, platform, path);
  }
  if (transport != "oci-archive" && transport != "docker-archive") {
    throw base::Error("cannot load " + source + ": there is no such transport", 0,
                      "oci:DIR[:TAG], dir:DIR, oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]");
  }
  require_loadable(command.signature_policy, transport, path, tag);
  files = open_archive(path, temporary);
  return transport == "oci-archive" ? read_oci_layout(*files, tag, platform, path)
                                    : read_docker_archive(*files, tag, platform, path);
}

}  // namespace

int store_image(Importer& importer, const ImageSource& image, const std::vector<std::string>& names) {
  importer.add(image, names);
  std::string line = image.manifest_digest;
  for (const auto& name : names)
    line += " " + normalize_name(name);
  base::write_all(STDOUT_FILENO, line + "\n", "the standard output");
  return 0;
}

int load(const Command& command) {
  Importer importer(command.store, command.quiet);
  std::unique_ptr<FileSet> files;
  const auto found = read(command, importer.temporary(), files);
  if (found.size() > 1 && !command.names.empty()) {
    throw base::Error("cannot call " + std::to_string(found.size()) + " images by one name", 0,
                      "load one of them");
  }
  for (const auto& image : found)
    store_image(importer, image, command.names.empty() ? image.names : command.names);
  return 0;
}

}  // namespace trine::images
