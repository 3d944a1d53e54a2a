#include "agent/layers.h"

#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace trine::hvm {
namespace {

/// The kernel looks at persistent memory beside the start; this file is readable when it has found all.
/// Source: Linux drivers/nvdimm/bus.c, wait_probe.
void await_mapped_disks() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/nd", error))
    (void)base::read_file(entry.path().string() + "/device/wait_probe", 16);
}

}  // namespace

std::vector<std::string> mount_layers(unsigned count, bool mapped) {
  if (mapped)
    await_mapped_disks();
  std::vector<std::string> places;
  for (unsigned index = 0; index < count; ++index) {
    const std::string disk = mapped ? "/dev/pmem" + std::to_string(index)
                                    : std::string("/dev/vd") + static_cast<char>('a' + index);
    const std::string place = "/run/trine/layers/" + std::to_string(index);
    base::make_directories(place);
    // With dax the files' pages are the disk's, not copies of them.
    if (::mount(disk.c_str(), place.c_str(), "erofs", MS_RDONLY, mapped ? "dax=always" : "") != 0)
      base::throw_errno("cannot mount layer " + std::to_string(index) + " of the image from " + disk);
    places.push_back(place);
  }
  return places;
}

}  // namespace trine::hvm
