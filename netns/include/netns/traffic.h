#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What network interfaces have carried. Source: rtnetlink(7), struct rtnl_link_stats64.
namespace trine::netns {

struct Counters {
  std::uint64_t bytes = 0;  ///< with Ethernet headers
  std::uint64_t packets = 0;
  std::uint64_t errors = 0;
  std::uint64_t dropped = 0;
};

struct Traffic {
  std::string interface;
  Counters received, sent;
};

/// Of the interfaces of the namespace of the descriptor that are up, since each was made; without loopback
/// and the taps of machines. Some kernels give every namespace interfaces that nobody uses, and that are
/// down. Throws Error.
std::vector<Traffic> traffic_of_namespace(int network_namespace);

/// Of those interfaces whose place a machine has taken (tap.h), as the machine sees it, since it has. Throws
/// Error.
std::vector<Traffic> traffic_of_machine(int network_namespace);

}  // namespace trine::netns
