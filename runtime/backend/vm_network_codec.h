#pragma once

#include <tuple>

#include "hvm-sandbox/wire.h"
#include "netns/interfaces.h"

/// The payload of NET: netns' own structures.
namespace trine::hvm::wire {

template <>
struct Fields<netns::InterfaceAddress> {
  static auto of(auto& value) {
    auto& [local, peer, prefix, scope] = value;
    return std::tie(local, peer, prefix, scope);
  }
};
template <>
struct Fields<netns::InterfaceRoute> {
  static auto of(auto& value) {
    auto& [destination, prefix, gateway, source, metric, scope, protocol, on_link] = value;
    return std::tie(destination, prefix, gateway, source, metric, scope, protocol, on_link);
  }
};
template <>
struct Fields<netns::Interface> {
  static auto of(auto& value) {
    auto& [name, mac, mtu, addresses, routes] = value;
    return std::tie(name, mac, mtu, addresses, routes);
  }
};

}  // namespace trine::hvm::wire
