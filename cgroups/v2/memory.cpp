// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "Memory".
#include <cerrno>
#include <string>

#include "../controllers.h"
#include "../convert.h"
#include "base/error.h"

namespace trine::cgroups::v2 {
namespace {

constexpr const char* kSwap = "memory.swap.max";

/// v1 limits memory and swap together, v2 the swap alone.
std::string swap_alone(const Directory& directory, const Limits& limits) {
  const auto sum = *limits.memory_swap_bytes;
  if (sum < 0)
    return "max";
  if (limits.memory_bytes.value_or(-1) >= 0)
    return std::to_string(sum - *limits.memory_bytes);
  throw base::Error(
      "cannot set the swap limit of " + directory.path +
          ": cgroup v2 limits swap alone, and without a memory limit it cannot be told from the sum",
      EINVAL, "set a memory limit too");
}

void write_swap(const Directory& directory, const Limits& limits) {
  if (!limits.memory_swap_bytes)
    return;
  const auto value = swap_alone(directory, limits);
  // Unlimited is what a kernel without swap accounting, and so without the file, gives anyway.
  const bool dispensable = limits.memory_swap_is_default || value == "max";
  if (!dispensable || directory.has(kSwap))
    directory.write(kSwap, value, "swap");
}

}  // namespace

void apply_memory(const Directory& directory, const Limits& limits) {
  if (limits.memory_swappiness) {
    throw_v1_only(directory, "swappiness",
                  "leave it out: on v2 only the whole machine has it (vm.swappiness)");
  }
  if (limits.disable_oom_killer) {
    throw_v1_only(directory, "OOM killer", "leave it out: a group of v2 cannot do without");
  }
  if (limits.memory_bytes)
    directory.write("memory.max", number_or_max(*limits.memory_bytes), "memory");
  write_swap(directory, limits);
  if (limits.memory_reservation_bytes) {
    directory.write("memory.low", number_or_max(*limits.memory_reservation_bytes), "memory reservation");
  }
}

void read_memory(const Directory& directory, Stats& stats) {
  if (const auto bytes = directory.read_number("memory.current"))
    stats.memory_bytes = bytes;
  if (const auto peak = directory.read_number("memory.peak"))
    stats.memory_peak_bytes = peak;
  if (const auto kills = directory.read_keyed("memory.events", "oom_kill"))
    stats.oom_kills = kills;
}

}  // namespace trine::cgroups::v2
