#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "netns/traffic.h"

/// --network ns:PATH: a network namespace that somebody else has set up, an engine, CNI or ip-netns(8).
namespace trine::runtime::backend {

/// Throws base::Error when there is none at `path`.
base::UniqueFd open_network_namespace(const std::string& path);

/// What names are resolved by there: /etc/netns/NAME/resolv.conf for /run/netns/NAME when there is one, as
/// ip-netns(8) has it, else the host's. Empty: there is neither.
std::string resolver_configuration(const std::string& path);

/// What the interfaces of the network namespace of `process` have carried, all who are in it together.
/// Nothing: that is our own, or cannot be looked at, or the process has ended.
std::optional<std::vector<netns::Traffic>> traffic_of_process(pid_t process);

}  // namespace trine::runtime::backend
