#include "netns/traffic.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "dump.h"
#include "enter.h"
#include "tap_name.h"

namespace trine::netns {
namespace {

struct Link {
  Traffic traffic;
  bool is_up = false;
};

/// All of a namespace by their numbers, each machine's tap by that of the link whose place it has.
struct Found {
  std::map<unsigned, Link> links;
  std::map<unsigned, Traffic> taps;
};

Traffic traffic_in(const Message& message) {
  rtnl_link_stats64 counted{};  // a kernel of another age may have fewer or more
  const std::string bytes = message.bytes(IFLA_STATS64);
  std::memcpy(&counted, bytes.data(), std::min(bytes.size(), sizeof counted));
  return {.interface = message.text(IFLA_IFNAME),
          .received = {.bytes = counted.rx_bytes,
                       .packets = counted.rx_packets,
                       .errors = counted.rx_errors,
                       .dropped = counted.rx_dropped},
          .sent = {.bytes = counted.tx_bytes,
                   .packets = counted.tx_packets,
                   .errors = counted.tx_errors,
                   .dropped = counted.tx_dropped}};
}

Found read_traffic(int network_namespace) {
  Found found;
  in_namespace(network_namespace, [&] {
    const Socket socket(NETLINK_ROUTE);
    dump<ifinfomsg>(socket, RTM_GETLINK, "interfaces", [&](const Message& message) {
      const auto& link = message.as<ifinfomsg>();
      Traffic traffic = traffic_in(message);
      if (const auto of = link_of_tap(traffic.interface))
        found.taps.emplace(*of, std::move(traffic));
      else if ((link.ifi_flags & IFF_LOOPBACK) == 0)
        found.links.emplace(static_cast<unsigned>(link.ifi_index),
                            Link{.traffic = std::move(traffic), .is_up = (link.ifi_flags & IFF_UP) != 0});
    });
  });
  return found;
}

}  // namespace

std::vector<Traffic> traffic_of_namespace(int network_namespace) {
  std::vector<Traffic> result;
  Found found = read_traffic(network_namespace);
  for (auto& [index, link] : found.links) {
    if (link.is_up)
      result.push_back(std::move(link.traffic));
  }
  return result;
}

std::vector<Traffic> traffic_of_machine(int network_namespace) {
  Found found = read_traffic(network_namespace);
  std::vector<Traffic> result;
  for (auto& [index, tap] : found.taps) {
    const auto link = found.links.find(index);
    if (link == found.links.end())
      continue;
    // What the tap has sent is what its machine has received.
    result.push_back(
        {.interface = std::move(link->second.traffic.interface), .received = tap.sent, .sent = tap.received});
  }
  return result;
}

}  // namespace trine::netns
