#pragma once

#include <string>

namespace trine::images {

/// Throws Error unless the signature policy (`policy_file`, or where containers-policy.json(5) has it) lets
/// images be loaded from `path` by `transport` ("oci", "oci-archive", "docker-archive"). `tag` is the one
/// that was asked for, or empty. Such sources have no signatures: a policy that demands one refuses them all.
void require_loadable(const std::string& policy_file, const std::string& transport, const std::string& path,
                      const std::string& tag);

}  // namespace trine::images
