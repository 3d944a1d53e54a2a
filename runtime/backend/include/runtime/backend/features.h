#pragma once

#include <string>

namespace trine::runtime::backend {

/// What this runtime takes, as a features document: from the tables that take it.
/// Source: OCI runtime-spec 1.3 features.md and features-linux.md.
std::string features_json();

}  // namespace trine::runtime::backend
