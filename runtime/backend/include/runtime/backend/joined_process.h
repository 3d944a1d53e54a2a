#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "isolation/plan.h"
#include "isolation/seccomp.h"

namespace trine::runtime::backend {

/// A process beside the first one of an instance that runs, with the filter that the first one has.
struct JoinedProcess {
  isolation::Process process;
  std::optional<isolation::SeccompFilter> seccomp;
};

/// As bytes, for a file and for the agent in a guest: the fields in order, behind trine's version.
std::string encode_process(const JoinedProcess& process);
/// Nothing when the bytes are damaged or another version's.
std::optional<JoinedProcess> decode_process(std::string_view bytes);

}  // namespace trine::runtime::backend
