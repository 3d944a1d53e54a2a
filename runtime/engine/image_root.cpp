#include "image_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"
#include "layout.h"

namespace trine::runtime::engine {
namespace {

constexpr std::size_t kMaxLayers = 500;  // OVL_MAX_STACK

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0)
    base::throw_errno("cannot make the directory " + path);
}

void fill_mount_points(const std::string& directory) {
  make_directory(directory);
  for (const char* name : {"dev", "etc", "proc", "sys"})
    make_directory(directory + "/" + name);
  const base::UniqueFd etc = base::open_file(directory + "/etc", O_RDONLY | O_DIRECTORY);
  for (const char* name : {"hostname", "hosts", "resolv.conf"})
    (void)base::open_file_at(etc.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0644);
}

/// A layer that is put below those of every image, with what trine mounts over in all instances. Made in each
/// instance's writable layer they would be half a dozen files to make, and /etc to copy, and all to remove.
std::string mount_point_layer(const Paths& paths) {
  std::string layer = paths.lib + "/mount-points";
  if (::access(layer.c_str(), F_OK) == 0)
    return layer;
  const std::string name = "mount-points." + base::random_hex(8);
  fill_mount_points(paths.lib + "/" + name);
  // Another trine may have been first: theirs is as good.
  if (::rename((paths.lib + "/" + name).c_str(), layer.c_str()) != 0)
    remove_below(paths.lib, name);
  return layer;
}

/// Its root is to look as the image's. The last directory is the sign that all of it is there.
void fill_writable_layer(const isolation::OverlayRoot& overlay) {
  struct stat status{};
  if (::stat(overlay.lower.front().c_str(), &status) != 0)
    base::throw_errno("cannot look at a layer of the image");
  if (::mkdir(overlay.upper.c_str(), 0755) != 0 && errno != EEXIST)
    base::throw_errno("cannot make the directory " + overlay.upper);
  if (::chmod(overlay.upper.c_str(), status.st_mode & 07777) != 0 ||
      ::chown(overlay.upper.c_str(), status.st_uid, status.st_gid) != 0) {
    base::throw_errno("cannot prepare the writable layer");
  }
  make_directory(overlay.work);
}

/// The paths that execvp(3) would try.
std::vector<std::string> candidates(const isolation::Process& process) {
  constexpr std::string_view kVariable = "PATH=";
  if (process.args.empty())
    return {};
  const std::string& program = process.args.front();
  if (program.contains('/'))
    return {program};
  std::vector<std::string> paths;
  for (const auto& entry : process.env) {
    if (!entry.starts_with(kVariable))
      continue;
    for (const auto& directory : base::split(entry.substr(kVariable.size()), ':', base::SplitEmpty::kSkip))
      paths.push_back(directory + "/" + program);
  }
  return paths;
}

}  // namespace

isolation::Root make_root(const Paths& paths, Instance& instance, const images::MountedLayers& layers,
                          bool read_only) {
  const std::string& directory = instance.make_layer_directory();
  isolation::OverlayRoot overlay{.lower = images::directories_of(layers),
                                 .upper = directory + "/upper",
                                 .work = directory + "/work",
                                 .discard = instance.record().remove};
  if (::access(overlay.work.c_str(), F_OK) != 0)  // else it ran before
    fill_writable_layer(overlay);
  if (overlay.lower.size() < kMaxLayers)
    overlay.lower.push_back(mount_point_layer(paths));
  return {.source = std::move(overlay), .read_only = read_only, .propagation = MS_PRIVATE | MS_REC};
}

void read_ahead(const images::MountedLayers& layers, const isolation::Process& process) {
  constexpr off_t kMaxBytes = 2 << 20;
  constexpr off_t kChunk = 128 << 10;  // of one call the kernel reads no more than a device's read-ahead
  std::vector<base::UniqueFd> roots;
  for (const auto& layer : layers)
    roots.emplace_back(::open(layer.directory().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const auto& path : candidates(process)) {
    for (const auto& root : roots) {
      const base::UniqueFd file = base::try_open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      if (!file)
        continue;
      for (off_t offset = 0; offset < kMaxBytes; offset += kChunk)
        ::posix_fadvise(file.get(), offset, kChunk, POSIX_FADV_WILLNEED);
      return;
    }
  }
}

void drop_crash_mark(Instance& instance) {
  if (instance.record().remove)
    remove_below(instance.make_layer_directory() + "/work/work", "incompat");
}

}  // namespace trine::runtime::engine
