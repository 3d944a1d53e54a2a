#pragma once

#include <string>

#include "images/store.h"

/// The signature policy as the run path sees it.
namespace trine::images {

/// Throws Error when the policy (`policy_file`, or where containers-policy.json(5) has it) rejects the stored
/// image that a user called `asked`. An image that is run by its id or digest may be run when one of its
/// names may; one without names when the default for registries allows it. Signatures are verified by the
/// pull, not here.
void require_runnable(const std::string& policy_file, const Store& store, const Image& image,
                      const std::string& asked);

}  // namespace trine::images
