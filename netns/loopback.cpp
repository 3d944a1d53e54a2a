#include "netns/loopback.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "netlink.h"

namespace trine::netns {

void bring_up_loopback() {
  ifinfomsg link{};
  link.ifi_family = AF_UNSPEC;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;  // leave every other flag as it is
  Request request(RTM_NEWLINK, 0);
  // By name: no lookup of the index is needed. The kernel gives lo its addresses when it comes up.
  request.header(link).add(IFLA_IFNAME, "lo");
  Socket(NETLINK_ROUTE).transact(request, "cannot bring up the loopback interface lo");
}

}  // namespace trine::netns
