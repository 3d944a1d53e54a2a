#include "layer_image.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "mount_api.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kAttrReadOnly = 0x1;  // MOUNT_ATTR_RDONLY; linux/mount.h excludes sys/mount.h

base::UniqueFd mount_from(const std::string& source) {
  const FilesystemContext filesystem("erofs");
  filesystem.set("source", source);
  filesystem.set_flag("ro");
  return filesystem.mount(kAttrReadOnly);
}

base::UniqueFd mount_image(int file) {
  try {
    return mount_from(base::fd_path(file));
  } catch (const base::Error& error) {
    if (error.errno_value() != ENOTBLK)
      throw;
  }
  std::string device;
  const base::UniqueFd loop = make_loop_device(file, device);
  return mount_from(device);
}

}  // namespace

bool is_layer_image(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

base::UniqueFd make_loop_device(int file, std::string& path) {
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
    config.fd = static_cast<__u32>(file);
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0)
      return device;
    if (errno != EBUSY)
      base::throw_errno("cannot use the loop device " + path);
  }
  throw base::Error("cannot get a loop device: others take each that is free", EBUSY);
}

base::UniqueFd mount_layer_image(int file, const std::string& name, const std::string& place) {
  base::UniqueFd mount;
  try {
    mount = mount_image(file);
  } catch (const base::Error& error) {
    throw base::Error("cannot mount the layer " + name + ": " + error.message(), error.errno_value(),
                      error.errno_value() == EPERM
                          ? "only root mounts images; an unprivileged user keeps layers as directories"
                          : "trine system check tells whether the layer or the kernel is at fault");
  }
  const base::UniqueFd target = base::open_file(place, O_PATH | O_DIRECTORY);
  attach(mount.get(), target.get(), place);
  return mount;
}

}  // namespace trine::isolation
