#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <map>

#include "dump.h"
#include "enter.h"
#include "netns/interfaces.h"
#include "tap_name.h"

namespace trine::netns {
namespace {

using ByIndex = std::map<unsigned, Interface>;

ByIndex read_links(const Socket& socket) {
  constexpr std::size_t kMacBytes = 6;
  ByIndex interfaces;
  dump<ifinfomsg>(socket, RTM_GETLINK, "interfaces", [&](const Message& message) {
    const auto& link = message.as<ifinfomsg>();
    Interface found{.name = message.text(IFLA_IFNAME),
                    .mac = message.bytes(IFLA_ADDRESS),
                    .mtu = message.number(IFLA_MTU, 0)};
    // A tap of join_tap() is another machine's end of one of the others.
    const bool usable = link.ifi_type == ARPHRD_ETHER && found.mac.size() == kMacBytes &&
                        (link.ifi_flags & IFF_UP) != 0 && !message.has(IFLA_MASTER);
    if (usable && !link_of_tap(found.name))
      interfaces.emplace(static_cast<unsigned>(link.ifi_index), std::move(found));
  });
  return interfaces;
}

void read_addresses(const Socket& socket, ByIndex& interfaces) {
  dump<ifaddrmsg>(socket, RTM_GETADDR, "addresses", [&](const Message& message) {
    const auto& header = message.as<ifaddrmsg>();
    const auto owner = interfaces.find(header.ifa_index);
    const std::uint32_t flags = message.number(IFA_FLAGS, header.ifa_flags);
    // An IPv6 address of the link's own follows from its link address.
    const bool wanted = header.ifa_family == AF_INET ||
                        (header.ifa_family == AF_INET6 && header.ifa_scope == RT_SCOPE_UNIVERSE);
    if (owner == interfaces.end() || !wanted || (flags & IFA_F_PERMANENT) == 0)
      return;
    const std::string local = message.bytes(message.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS);
    const std::string address = message.bytes(IFA_ADDRESS);
    owner->second.addresses.push_back({.local = local,
                                       .peer = address == local ? std::string() : address,
                                       .prefix = header.ifa_prefixlen,
                                       .scope = header.ifa_scope});
  });
}

void read_routes(const Socket& socket, ByIndex& interfaces) {
  constexpr std::size_t kShort = 4;
  constexpr std::size_t kLong = 16;
  dump<rtmsg>(socket, RTM_GETROUTE, "routes", [&](const Message& message) {
    const auto& header = message.as<rtmsg>();
    const auto owner = interfaces.find(message.number(RTA_OIF, 0));
    const bool family = header.rtm_family == AF_INET || header.rtm_family == AF_INET6;
    const bool made = header.rtm_protocol != RTPROT_KERNEL && header.rtm_protocol != RTPROT_RA &&
                      header.rtm_protocol != RTPROT_REDIRECT && (header.rtm_flags & RTM_F_CLONED) == 0;
    if (owner == interfaces.end() || !family || !made || header.rtm_type != RTN_UNICAST ||
        message.number(RTA_TABLE, header.rtm_table) != RT_TABLE_MAIN)
      return;
    std::string destination = message.bytes(RTA_DST);
    if (destination.empty())
      destination.assign(header.rtm_family == AF_INET ? kShort : kLong, '\0');
    owner->second.routes.push_back({.destination = std::move(destination),
                                    .prefix = header.rtm_dst_len,
                                    .gateway = message.bytes(RTA_GATEWAY),
                                    .source = message.bytes(RTA_PREFSRC),
                                    .metric = message.number(RTA_PRIORITY, 0),
                                    .scope = header.rtm_scope,
                                    .protocol = header.rtm_protocol,
                                    .on_link = (header.rtm_flags & RTNH_F_ONLINK) != 0});
  });
}

}  // namespace

std::vector<Interface> interfaces_of(int network_namespace) {
  std::vector<Interface> result;
  in_namespace(network_namespace, [&] {
    const Socket socket(NETLINK_ROUTE);
    ByIndex interfaces = read_links(socket);
    read_addresses(socket, interfaces);
    read_routes(socket, interfaces);
    for (auto& [index, found] : interfaces)
      result.push_back(std::move(found));
  });
  return result;
}

}  // namespace trine::netns
