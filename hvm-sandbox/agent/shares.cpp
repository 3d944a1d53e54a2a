#include "agent/shares.h"

#include <sys/mount.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"

namespace trine::hvm {

void mount_shares(const std::vector<GuestShare>& shares) {
  for (const GuestShare& share : shares) {
    const std::string place = std::string(kSharesDirectory) + "/" + share.tag;
    base::make_directories(place);
    // A device's number in it is one of the host's, and would be another device here.
    unsigned long flags = MS_NODEV;
    if (share.read_only)
      flags |= MS_RDONLY;
    if (::mount(share.tag.c_str(), place.c_str(), "virtiofs", flags, "") != 0) {
      base::throw_errno(
          "cannot mount the host's directory in the guest",
          errno == ENODEV ? "the guest's kernel has no virtiofs: import another, or the same again" : "");
    }
  }
}

}  // namespace trine::hvm
