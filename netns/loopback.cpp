#include "netns/loopback.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>

#include "base/error.h"
#include "netlink.h"

namespace trine::netns {

void bring_up_loopback() {
  // The kernel makes it with the namespace, as the first of its links.
  constexpr int kLoopbackIndex = 1;
  const Message message = make_message(RTM_NEWLINK, 0);
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_index = kLoopbackIndex;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  if (::nlmsg_append(message.get(), &link, sizeof link, NLMSG_ALIGNTO) < 0) {
    throw base::Error("cannot bring up the loopback interface: out of memory");
  }
  Netlink().request(message, "cannot bring up the loopback interface");
}

}  // namespace trine::netns
