#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

/// How a virtual machine takes the place of a network interface: a tap beside it, and all that either of the
/// two receives leaves by the other, addresses, MAC and all. The namespace's own stack hears nothing more.
/// Source: Linux Documentation/networking/tuntap.rst, tc-mirred(8), tc-matchall(8).
namespace trine::netns {

/// Couples `link` of the namespace with a new tap, and returns the tap's descriptors (IFF_VNET_HDR), one for
/// each of its `queues`, over which the kernel spreads connections. The tap ends with the last descriptor of
/// it; the link is free again after part_tap(). What a killed owner left on the link is taken away first.
/// Throws Error, EBUSY when a machine has the link.
std::vector<base::UniqueFd> join_tap(int network_namespace, const std::string& link, unsigned queues = 1);

/// Takes away what join_tap() put on the link. Nothing to do is no error; nor is a link that is gone. A
/// machine that has the link keeps it.
void part_tap(int network_namespace, const std::string& link);

}  // namespace trine::netns
