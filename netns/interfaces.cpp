#include "netns/interfaces.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/error.h"
#include "netlink.h"
#include "netns/loopback.h"

namespace trine::netns {
namespace {

int family_of(const std::string& address) {
  constexpr std::size_t kShort = 4;
  return address.size() == kShort ? AF_INET : AF_INET6;
}

std::map<std::string, int> links_by_mac(const Socket& socket) {
  std::map<std::string, int> links;
  Request request(RTM_GETLINK, NLM_F_DUMP);
  request.header(ifinfomsg{});
  socket.dump(request, "cannot read the network interfaces", [&](const nlmsghdr* header) {
    const auto& link = *static_cast<const ifinfomsg*>(nlmsg_data(header));
    const nlattr* mac = nlmsg_find_attr(const_cast<nlmsghdr*>(header), sizeof link, IFLA_ADDRESS);
    if (header->nlmsg_type == RTM_NEWLINK && mac != nullptr)
      links.emplace(std::string(static_cast<const char*>(nla_data(mac)), nla_len(mac)), link.ifi_index);
  });
  return links;
}

ifinfomsg link_header(int index, unsigned flags) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = header.ifi_change = flags;
  return header;
}

void rename(const Socket& socket, int index, const std::string& name) {
  Request request(RTM_NEWLINK, 0);
  request.header(link_header(index, 0)).add(IFLA_IFNAME, name);
  socket.transact(request, "cannot call the network interface " + name);
}

void bring_up(const Socket& socket, int index, const Interface& wanted) {
  Request request(RTM_NEWLINK, 0);
  request.header(link_header(index, IFF_UP)).add(IFLA_MTU, wanted.mtu);
  socket.transact(request, "cannot bring up the network interface " + wanted.name);
}

void add_address(const Socket& socket, int index, const InterfaceAddress& address, const std::string& name) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(family_of(address.local));
  header.ifa_prefixlen = address.prefix;
  header.ifa_scope = address.scope;
  header.ifa_index = static_cast<std::uint32_t>(index);
  // Who had the address before has asked whether it was free.
  header.ifa_flags = header.ifa_family == AF_INET6 ? IFA_F_NODAD : 0;
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  request.header(header)
      .add_bytes(IFA_LOCAL, address.local)
      .add_bytes(IFA_ADDRESS, address.peer.empty() ? address.local : address.peer);
  socket.transact(request, "cannot give the network interface " + name + " an address");
}

void add_route(const Socket& socket, int index, const InterfaceRoute& route, const std::string& name) {
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(family_of(route.destination));
  header.rtm_dst_len = route.prefix;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = route.protocol;
  header.rtm_scope = route.scope;
  header.rtm_type = RTN_UNICAST;
  header.rtm_flags = route.on_link ? static_cast<unsigned>(RTNH_F_ONLINK) : 0U;
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  request.header(header).add(RTA_OIF, static_cast<std::uint32_t>(index));
  if (route.prefix > 0)
    request.add_bytes(RTA_DST, route.destination);
  if (!route.gateway.empty())
    request.add_bytes(RTA_GATEWAY, route.gateway);
  if (!route.source.empty())
    request.add_bytes(RTA_PREFSRC, route.source);
  if (route.metric != 0)
    request.add(RTA_PRIORITY, route.metric);
  try {
    socket.transact(request, "cannot make a route through the network interface " + name);
  } catch (const base::Error& error) {
    if (error.errno_value() != EEXIST)  // it follows from an address here
      throw;
  }
}

}  // namespace

void set_up_interfaces(const std::vector<Interface>& interfaces) {
  bring_up_loopback();
  const Socket socket(NETLINK_ROUTE);
  const auto links = links_by_mac(socket);
  std::vector<int> indexes;
  for (const Interface& wanted : interfaces) {
    const auto found = links.find(wanted.mac);
    if (found == links.end())
      throw base::Error("there is no network interface for " + wanted.name, ENODEV,
                        "has the kernel a driver for it (virtio_net)? trine kernel import it again");
    indexes.push_back(found->second);
  }
  // One may have the name that another is to have.
  for (const int index : indexes)
    rename(socket, index, "moving" + std::to_string(index));
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    const Interface& wanted = interfaces[i];
    rename(socket, indexes[i], wanted.name);
    bring_up(socket, indexes[i], wanted);
    for (const InterfaceAddress& address : wanted.addresses)
      add_address(socket, indexes[i], address, wanted.name);
    // A gateway must be reached first.
    std::vector<InterfaceRoute> routes = wanted.routes;
    std::ranges::stable_partition(routes, [](const auto& route) { return route.gateway.empty(); });
    for (const InterfaceRoute& route : routes)
      add_route(socket, indexes[i], route, wanted.name);
  }
}

}  // namespace trine::netns
