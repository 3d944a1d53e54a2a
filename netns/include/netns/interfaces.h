#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What the network interfaces of a namespace are set up to be, read in one place and set up in another.
/// Source: rtnetlink(7).
namespace trine::netns {

/// Addresses are their 4 or 16 bytes, in the network's order.
struct InterfaceAddress {
  std::string local;
  std::string peer;         ///< of a point-to-point link; empty: none
  std::uint8_t prefix = 0;  ///< bits
  std::uint8_t scope = 0;   ///< RT_SCOPE_…
};

/// A route of the main table through the interface.
struct InterfaceRoute {
  std::string destination;  ///< as many bytes as its family has, also for the default route
  std::uint8_t prefix = 0;
  std::string gateway;  ///< empty: none
  std::string source;   ///< the preferred one; empty: none
  std::uint32_t metric = 0;
  std::uint8_t scope = 0;
  std::uint8_t protocol = 0;  ///< RTPROT_…
  bool on_link = false;       ///< the gateway is a neighbour, whatever the addresses say
};

struct Interface {
  std::string name;
  std::string mac;        ///< 6 bytes
  std::uint32_t mtu = 0;  ///< bytes
  std::vector<InterfaceAddress> addresses;
  std::vector<InterfaceRoute> routes;
};

/// The Ethernet interfaces that are up in the namespace of the descriptor, with their permanent addresses and
/// the routes that somebody made: what the kernel makes of an address, it makes again. Throws Error.
std::vector<Interface> interfaces_of(int network_namespace);

/// Sets up the interfaces of the calling thread's namespace that have these link addresses, whatever they are
/// called, and brings up lo. Throws Error naming the interface that is not there, or what the kernel refuses.
void set_up_interfaces(const std::vector<Interface>& interfaces);

}  // namespace trine::netns
