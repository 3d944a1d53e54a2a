#include "netns/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "enter.h"
#include "netlink.h"
#include "tap_name.h"

namespace trine::netns {
namespace {

constexpr std::uint32_t kIngressHandle = 0xffff0000;

tcmsg on_ingress(unsigned link) {
  tcmsg message{};
  message.tcm_family = AF_UNSPEC;
  message.tcm_ifindex = static_cast<int>(link);
  return message;
}

void add_ingress(const Socket& socket, unsigned link, const std::string& name) {
  tcmsg message = on_ingress(link);
  message.tcm_handle = kIngressHandle;
  message.tcm_parent = TC_H_INGRESS;
  Request request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
  request.header(message).add(TCA_KIND, "ingress");
  socket.transact(request, "cannot see what the network interface " + name + " receives");
}

/// As `tc filter add dev FROM ingress matchall action mirred egress redirect dev TO`.
void redirect(const Socket& socket, unsigned from, unsigned to, const std::string& name) {
  tcmsg message = on_ingress(from);
  message.tcm_parent = kIngressHandle;
  message.tcm_info = TC_H_MAKE(1U << 16U, htons(ETH_P_ALL));
  tc_mirred mirred{};
  mirred.action = TC_ACT_STOLEN;
  mirred.eaction = TCA_EGRESS_REDIR;
  mirred.ifindex = to;
  Request request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
  request.header(message).add(TCA_KIND, "matchall").nest(TCA_OPTIONS, [&] {
    request.nest(TCA_MATCHALL_ACT, [&] {
      request.nest(1, [&] {
        request.add(TCA_ACT_KIND, "mirred").nest(TCA_ACT_OPTIONS, [&] {
          request.add_bytes(TCA_MIRRED_PARMS, {reinterpret_cast<const char*>(&mirred), sizeof mirred});
        });
      });
    });
  });
  const std::string purpose = "cannot redirect what the network interface " + name + " receives";
  try {
    socket.transact(request, purpose);
  } catch (const base::Error& error) {
    if (error.errno_value() == ENOENT)
      throw base::Error(purpose, ENOENT, "modprobe cls_matchall act_mirred, of which the kernel lacks one");
    throw;
  }
}

void remove_ingress(const Socket& socket, unsigned link, const std::string& name) {
  tcmsg message = on_ingress(link);
  message.tcm_handle = kIngressHandle;
  message.tcm_parent = TC_H_INGRESS;
  Request request(RTM_DELQDISC, 0);
  request.header(message);
  try {
    socket.transact(request, "cannot free the network interface " + name);
  } catch (const base::Error& error) {
    // The kernel's words for a link without one differ between versions; a link may be gone.
    if (error.errno_value() != ENOENT && error.errno_value() != EINVAL && error.errno_value() != ENODEV)
      throw;
  }
}

/// Makes the tap, or with flags that do not ask for a new one another queue of it.
base::UniqueFd open_tap(const std::string& name, const std::string& link, unsigned flags) {
  base::UniqueFd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tap) {
    const int error = errno;
    throw base::Error("cannot open /dev/net/tun", error, "modprobe tun");
  }
  ifreq request{};
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags);
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(tap.get(), TUNSETIFF, &request) == 0)
    return tap;
  const int error = errno;
  if ((flags & IFF_TUN_EXCL) != 0 && (error == EBUSY || if_nametoindex(name.c_str()) != 0))
    throw base::Error("the network interface " + link + " is a machine's already", EBUSY,
                      "end the VM that runs in this network namespace, or give this one another");
  throw base::Error("cannot make a tap beside the network interface " + link, error);
}

std::vector<base::UniqueFd> make_tap(const std::string& name, const std::string& link, unsigned queues) {
  const unsigned several = queues > 1 ? IFF_MULTI_QUEUE : 0;
  std::vector<base::UniqueFd> taps;
  // Another machine's tap of several queues would take ours as one more of its own.
  taps.push_back(open_tap(name, link, several | IFF_TUN_EXCL));
  while (taps.size() < queues)
    taps.push_back(open_tap(name, link, several));
  return taps;
}

std::uint32_t mtu_of(const std::string& link) {
  const base::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  link.copy(request.ifr_name, IFNAMSIZ - 1);
  if (!socket || ::ioctl(socket.get(), SIOCGIFMTU, &request) != 0)
    base::throw_errno("cannot read the MTU of the network interface " + link);
  return static_cast<std::uint32_t>(request.ifr_mtu);
}

/// Up, with the link's MTU, and without an address of its own that it would speak of.
void set_up_tap(const Socket& socket, unsigned tap, std::uint32_t mtu, const std::string& name) {
  constexpr std::uint8_t kNoAddress = 1;  // IN6_ADDR_GEN_MODE_NONE
  ifinfomsg message{};
  message.ifi_family = AF_UNSPEC;
  message.ifi_index = static_cast<int>(tap);
  Request quiet(RTM_NEWLINK, 0);
  quiet.header(message).nest(IFLA_AF_SPEC, [&] {
    quiet.nest(AF_INET6, [&] {
      quiet.add_bytes(IFLA_INET6_ADDR_GEN_MODE, std::string(1, static_cast<char>(kNoAddress)));
    });
  });
  try {
    socket.transact(quiet, "cannot keep the tap " + name + " from having an address");
  } catch (const base::Error& error) {
    if (error.errno_value() != EAFNOSUPPORT)  // a kernel without IPv6
      throw;
  }
  message.ifi_flags = message.ifi_change = IFF_UP;
  Request up(RTM_NEWLINK, 0);
  up.header(message).add(IFLA_MTU, mtu);
  socket.transact(up, "cannot bring up the tap " + name);
}

}  // namespace

std::vector<base::UniqueFd> join_tap(int network_namespace, const std::string& link, unsigned queues) {
  std::vector<base::UniqueFd> taps;
  in_namespace(network_namespace, [&] {
    const unsigned index = if_nametoindex(link.c_str());
    if (index == 0)
      throw base::Error("there is no network interface " + link + " in the network namespace", ENODEV);
    const std::string name = tap_name(index);
    taps = make_tap(name, link, queues);
    const unsigned tap_index = if_nametoindex(name.c_str());
    const Socket socket(NETLINK_ROUTE);
    set_up_tap(socket, tap_index, mtu_of(link), name);
    remove_ingress(socket, index, link);
    add_ingress(socket, tap_index, name);
    add_ingress(socket, index, link);
    try {
      redirect(socket, tap_index, index, name);
      redirect(socket, index, tap_index, link);
    } catch (const base::Error&) {
      remove_ingress(socket, index, link);
      throw;
    }
  });
  return taps;
}

void part_tap(int network_namespace, const std::string& link) {
  in_namespace(network_namespace, [&] {
    const unsigned index = if_nametoindex(link.c_str());
    if (index != 0 && if_nametoindex(tap_name(index).c_str()) == 0)
      remove_ingress(Socket(NETLINK_ROUTE), index, link);
  });
}

}  // namespace trine::netns
