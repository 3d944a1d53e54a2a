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

#include "base/error.h"
#include "base/file.h"
#include "layout.h"

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

}  // namespace

std::string LayerMounts::place(const std::string& file) const {
  const std::string name = file.substr(file.find_last_of('/') + 1);
  return directory_ + "/" + name.substr(0, name.size() - kErofsSuffix.size());
}

std::string LayerMounts::mount(const std::string& file) const {
  std::string where = place(file);
  if (is_mounted(where))
    return where;
  base::make_directories(directory_, 0700);
  const base::UniqueFd lock = base::open_file(directory_, O_RDONLY | O_DIRECTORY);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR)
      base::throw_errno("cannot lock " + directory_);
  }
  if (is_mounted(where))  // by another, meanwhile
    return where;
  base::make_directories(where, 0700);
  if (const int error = mount_image(file, where); error != 0)
    throw base::Error("cannot mount the layer " + file, error, hint_for(error));
  return where;
}

void LayerMounts::unmount(const std::string& file) const {
  const std::string where = place(file);
  while (is_mounted(where)) {
    if (::umount2(where.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
      base::throw_errno("cannot unmount the layer " + where);
  }
  ::rmdir(where.c_str());
}

}  // namespace trine::images
