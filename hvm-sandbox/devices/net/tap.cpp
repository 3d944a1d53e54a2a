#include "devices/net/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "base/error.h"
#include "devices/net/net.h"

namespace trine::hvm {

void prepare_tap(int tap) {
  constexpr int kWanted = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  ifreq request{};
  if (::ioctl(tap, TUNGETIFF, &request) != 0 || (request.ifr_flags & kWanted) != kWanted)
    throw base::Error("the descriptor for the guest's network is no tap with virtio's headers");
  const int header = Net::kHeaderBytes;
  const int little_endian = 1;
  const int flags = ::fcntl(tap, F_GETFL);
  if (::ioctl(tap, TUNSETVNETHDRSZ, &header) != 0 || ::ioctl(tap, TUNSETVNETLE, &little_endian) != 0 ||
      flags < 0 || ::fcntl(tap, F_SETFL, flags | O_NONBLOCK) != 0)
    base::throw_errno("cannot set up the tap of the guest's network");
}

}  // namespace trine::hvm
