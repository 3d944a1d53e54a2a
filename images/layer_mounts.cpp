#include "layer_mounts.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "layout.h"
#include "store_files.h"

namespace trine::images {
namespace {

constexpr unsigned long kFlags = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC;

bool is_mounted(const std::string& place) {
  struct statfs status{};
  return ::statfs(place.c_str(), &status) == 0 && status.f_type == EROFS_SUPER_MAGIC_V1;
}

/// A read-only loop device that frees itself when it is used no more. Source: loop(4).
base::UniqueFd make_loop_device(const std::string& file, std::string& path) {
  const base::UniqueFd image = base::open_file(file, O_RDONLY);
  const base::UniqueFd control = base::open_file("/dev/loop-control", O_RDWR);
  // Another may take the device between the question and the answer.
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0)
      base::throw_errno("cannot get a loop device");
    path = "/dev/loop" + std::to_string(number);
    base::UniqueFd device = base::open_file(path, O_RDONLY);
    loop_config config{};
    config.fd = static_cast<__u32>(image.get());
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0)
      return device;
    if (errno != EBUSY)
      base::throw_errno("cannot use the loop device " + path);
  }
  throw base::Error("cannot get a loop device: others take each that is free", EBUSY);
}

int mount_image(const std::string& file, const std::string& place) {
  if (::mount(file.c_str(), place.c_str(), "erofs", kFlags, nullptr) == 0)
    return 0;
  if (errno != ENOTBLK)
    return errno;
  std::string device;
  const base::UniqueFd loop = make_loop_device(file, device);
  return ::mount(device.c_str(), place.c_str(), "erofs", kFlags, nullptr) == 0 ? 0 : errno;
}

const char* hint_for(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "only root mounts images; for an unprivileged user layers are kept as directories";
    case ENODEV:
      return "this kernel has no EROFS: modprobe erofs, or load the image again with layers as directories";
    default:
      return "trine system check tells whether the layer is damaged";
  }
}

/// Whether nobody uses the layer any more, and nobody can begin to as long as the lock is held.
bool take_for_oneself(const base::UniqueFd& use) {
  return ::flock(use.get(), LOCK_EX | LOCK_NB) == 0;
}

void unmount(const std::string& place) {
  while (is_mounted(place)) {
    if (::umount2(place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
      base::throw_errno("cannot unmount the layer " + place);
  }
  ::rmdir(place.c_str());
}

void wait_for_lock(int fd, int kind, const std::string& name) {
  while (::flock(fd, kind) != 0) {
    if (errno != EINTR)
      base::throw_errno("cannot lock " + name);
  }
}

}  // namespace

MountedLayer& MountedLayer::operator=(MountedLayer&& other) noexcept {
  release();
  directory_ = std::move(other.directory_);
  use_ = std::move(other.use_);
  return *this;
}

void MountedLayer::release() noexcept {
  if (!use_)
    return;
  try {
    if (take_for_oneself(use_))
      unmount(directory_);
  } catch (const std::exception& error) {
    base::print_warning(error.what());
  }
  use_.reset();
}

std::vector<std::string> directories_of(const MountedLayers& layers) {
  std::vector<std::string> directories;
  directories.reserve(layers.size());
  for (const auto& layer : layers)
    directories.push_back(layer.directory());
  return directories;
}

MountedLayer LayerMounts::mount(const std::string& file) const {
  const std::string name = file.substr(file.find_last_of('/') + 1);
  std::string where = directory_ + "/" + name.substr(0, name.size() - kErofsSuffix.size());
  base::UniqueFd use = base::open_file(file, O_RDONLY);
  wait_for_lock(use.get(), LOCK_SH, file);
  if (is_mounted(where))
    return {std::move(where), std::move(use)};
  base::make_directories(directory_, 0700);
  const base::UniqueFd lock = base::open_file(directory_, O_RDONLY | O_DIRECTORY);
  wait_for_lock(lock.get(), LOCK_EX, directory_);
  if (!is_mounted(where)) {  // by another, meanwhile
    base::make_directories(where, 0700);
    if (const int error = mount_image(file, where); error != 0) {
      ::rmdir(where.c_str());
      throw base::Error("cannot mount the layer " + file, error, hint_for(error));
    }
  }
  return {std::move(where), std::move(use)};
}

void LayerMounts::unmount_unused(const std::string& layers) const {
  for (const auto& name : entries(directory_)) {
    const std::string file = layers + "/" + name + std::string(kErofsSuffix);
    const base::UniqueFd use(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!use || take_for_oneself(use))
      unmount(directory_ + "/" + name);
  }
}

}  // namespace trine::images
