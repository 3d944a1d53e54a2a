#include "runtime/engine/update.h"

#include <limits>

#include "base/error.h"
#include "cgroups/details.h"
#include "cgroups/group.h"
#include "layout.h"
#include "runtime/backend/vm_update.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

/// As for a container that starts.
void add_default_swap(cgroups::Limits& limits) {
  if (limits.memory_bytes.value_or(-1) <= 0 || limits.memory_swap_bytes)
    return;
  const bool fits = *limits.memory_bytes <= std::numeric_limits<std::int64_t>::max() / 2;
  limits.memory_swap_bytes = fits ? *limits.memory_bytes * 2 : -1;
  limits.memory_swap_is_default = true;
}

}  // namespace

void update_instance(const Paths& paths, const std::string& reference, cgroups::Limits limits) {
  const RunningInstance instance = find_running(paths, reference, "update");
  if (instance.record.isolation == kVmClass) {
    limits = backend::update_guest(control_socket(paths, instance.record), instance.record.vm_memory_bytes,
                                   std::move(limits));
  } else {
    add_default_swap(limits);
  }
  limits.memory_check_before_update = true;  // else version 2 kills what is above the limit
  cgroups::update(cgroups::open_group(instance.record.cgroups), limits);
}

std::optional<std::uint64_t> memory_limit(const std::vector<std::string>& cgroups) {
  constexpr std::uint64_t kNone = std::uint64_t{1} << 62;  // version 1 has a larger number for none
  const auto limit = cgroups::details(cgroups::open_group(cgroups)).memory.memory.limit_bytes;
  return limit && *limit < kNone ? limit : std::nullopt;
}

}  // namespace trine::runtime::engine
