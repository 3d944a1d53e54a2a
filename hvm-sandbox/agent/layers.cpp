#include "agent/layers.h"

#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace trine::hvm {

std::vector<std::string> mount_layers(unsigned count) {
  std::vector<std::string> places;
  for (unsigned index = 0; index < count; ++index) {
    const std::string disk = std::string("/dev/vd") + static_cast<char>('a' + index);
    const std::string place = "/run/trine/layers/" + std::to_string(index);
    base::make_directories(place);
    if (::mount(disk.c_str(), place.c_str(), "erofs", MS_RDONLY, "") != 0)
      base::throw_errno("cannot mount layer " + std::to_string(index) + " of the image from " + disk);
    places.push_back(place);
  }
  return places;
}

}  // namespace trine::hvm
