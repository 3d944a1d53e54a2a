#pragma once

#include <string>

#include "base/unique_fd.h"

/// --network ns:PATH: a network namespace that somebody else has set up, an engine, CNI or ip-netns(8).
namespace trine::runtime::backend {

/// Throws base::Error when there is none at `path`.
base::UniqueFd open_network_namespace(const std::string& path);

/// What names are resolved by there: /etc/netns/NAME/resolv.conf for /run/netns/NAME when there is one, as
/// ip-netns(8) has it, else the host's. Empty: there is neither.
std::string resolver_configuration(const std::string& path);

}  // namespace trine::runtime::backend
