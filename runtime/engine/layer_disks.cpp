#include "layer_disks.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "layout.h"
#include "runtime/backend/vm.h"

namespace trine::runtime::engine {
namespace {

constexpr std::string_view kSuffix = ".erofs";
constexpr const char* kMaker = "mkfs.erofs";

std::string name_of(const std::string& layer_directory) {
  return layer_directory.substr(layer_directory.find_last_of('/') + 1);
}

/// Disks of layers that the store has no more, and what a killed trine left half made.
void sweep(const std::string& root, const std::string& layers) {
  for (const std::string& entry : directory_entries(root)) {
    const std::string layer = layers + "/" + entry.substr(0, entry.find(kSuffix));
    if (entry.ends_with(kSuffix) && ::access(layer.c_str(), F_OK) == 0)
      continue;
    if (::unlink((root + "/" + entry).c_str()) != 0 && errno != ENOENT)
      base::print_warning("cannot remove " + root + "/" + entry + ": " + base::errno_text(errno));
  }
}

void make_disk(const std::string& directory, const std::string& disk) {
  const std::string half = disk + ".half." + base::random_hex(8);
  base::ProgramResult result;
  try {
    result = base::run_program(kMaker, {"--quiet", "--preserve-mtime", half, directory});
  } catch (const base::Error& error) {
    throw base::Error("cannot make a disk of a layer: the program mkfs.erofs cannot be run",
                      error.errno_value(), "apt-get install erofs-utils");
  }
  if (result.status.code != 0) {
    ::unlink(half.c_str());
    throw base::Error("cannot make a disk of the layer " + name_of(directory) + ": " +
                      std::string(base::trim(result.output)));
  }
  // Another trine may have been first: theirs is as good.
  if (::rename(half.c_str(), disk.c_str()) != 0)
    base::throw_errno("cannot keep the disk " + disk);
}

/// The disk of a layer that the store keeps as a directory.
std::string disk_of(const std::string& root, const std::string& directory) {
  std::string disk = root + "/" + name_of(directory) + std::string(kSuffix);
  if (::access(disk.c_str(), F_OK) == 0)
    return disk;
  ensure_private_directory(root);
  // One at a time: a sweep would take what another is making.
  const base::UniqueFd lock = lock_directory(root, LockKind::kExclusive);
  if (::access(disk.c_str(), F_OK) == 0)
    return disk;
  sweep(root, directory.substr(0, directory.find_last_of('/')));
  make_disk(directory, disk);
  return disk;
}

}  // namespace

std::vector<std::string> make_layer_disks(const Paths& paths, const images::Image& image) {
  if (image.layers.size() > backend::kMostLayerDisks) {
    throw base::Error("the image has " + std::to_string(image.layers.size()) +
                          " layers, and a VM takes at most " + std::to_string(backend::kMostLayerDisks),
                      0, "--isolation container runs it");
  }
  std::vector<std::string> disks;
  disks.reserve(image.layers.size());
  for (const std::string& layer : image.layers)
    disks.push_back(layer.ends_with(kSuffix) ? layer : disk_of(paths.lib + "/vm-layers", layer));
  return disks;
}

}  // namespace trine::runtime::engine
