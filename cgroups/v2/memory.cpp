// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "Memory".
#include <cerrno>
#include <map>
#include <optional>
#include <string>

#include "../controllers.h"
#include "../convert.h"
#include "../figures.h"
#include "base/error.h"

namespace trine::cgroups::v2 {
namespace {

constexpr const char* kSwap = "memory.swap.max";
constexpr const char* kSwapCurrent = "memory.swap.current";

using Number = std::optional<std::uint64_t>;

Number sum(const Number& one, const Number& other) {
  return one && other ? Number(*one + *other) : std::nullopt;
}

Number value_of(const std::map<std::string, std::uint64_t>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? std::nullopt : Number(found->second);
}

/// -1: none.
std::int64_t present_limit(const Directory& directory) {
  const auto bytes = directory.read_number("memory.max");
  return bytes ? static_cast<std::int64_t>(*bytes) : -1;
}

/// v1 limits memory and swap together, v2 the swap alone.
std::string swap_alone(const Directory& directory, const Limits& limits) {
  const auto sum = limits.memory_swap_bytes.value_or(-1);
  if (sum < 0)
    return "max";
  // A limit of an earlier command counts too.
  const auto memory = limits.memory_bytes ? *limits.memory_bytes : present_limit(directory);
  if (memory >= 0 && memory <= sum)
    return std::to_string(sum - memory);
  if (memory >= 0) {
    throw base::Error("cannot limit memory and swap of " + directory.path + " together to " +
                          std::to_string(sum) + " bytes: that is less than the memory limit, " +
                          std::to_string(memory),
                      EINVAL, "the swap limit is the sum of memory and swap");
  }
  throw base::Error(
      "cannot set the swap limit of " + directory.path +
          ": cgroup v2 limits swap alone, and without a memory limit it cannot be told from the sum",
      EINVAL, "set a memory limit too");
}

void write_swap(const Directory& directory, const Limits& limits) {
  const bool unlimited = limits.memory_bytes.value_or(0) < 0;
  if (!limits.memory_swap_bytes && !unlimited)
    return;
  const auto value = swap_alone(directory, limits);
  // Unlimited is what a kernel without swap accounting, and so without the file, gives anyway.
  const bool dispensable = limits.memory_swap_is_default || value == "max";
  if (!dispensable || directory.has(kSwap))
    directory.write(kSwap, value, "swap");
}

void check_use(const Directory& directory, const Limits& limits) {
  const auto wanted = limits.memory_bytes.value_or(-1);
  const auto used = directory.read_number("memory.current");
  if (wanted < 0 || !used || *used < static_cast<std::uint64_t>(wanted))
    return;
  throw base::Error("cannot set the memory limit of " + directory.path + " to " + std::to_string(wanted) +
                        " bytes: it uses " + std::to_string(*used),
                    EBUSY,
                    "without checkBeforeUpdate the limit is set, and the kernel kills what is above it");
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
  if (limits.memory_kernel_tcp_bytes) {
    throw_v1_only(directory, "TCP memory", "leave it out: on v2 such memory counts as any other");
  }
  if (limits.memory_check_before_update)
    check_use(directory, limits);
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

void detail_memory(const Directory& directory, Details& details) {
  MemoryDetails& memory = details.memory;
  memory.memory = read_usage(
      directory, {.current = "memory.current", .peak = "memory.peak", .failures = {}, .limit = "memory.max"});
  memory.swap = read_usage(
      directory, {.current = kSwapCurrent, .peak = "memory.swap.peak", .failures = {}, .limit = kSwap});
  memory.swap.failures = directory.read_keyed("memory.swap.events", "max");
  memory.memory_and_swap.bytes = sum(memory.memory.bytes, memory.swap.bytes);
  memory.memory_and_swap.limit_bytes = sum(memory.memory.limit_bytes, memory.swap.limit_bytes);

  const auto events = parse_keyed(directory.read("memory.events").value_or(""));
  memory.memory.failures = value_of(events, "max");
  memory.oom_kills = value_of(events, "oom_kill");
  memory.stat = parse_keyed(directory.read("memory.stat").value_or(""));
  memory.cache_bytes = value_of(memory.stat, "file");
  memory.kernel.bytes = value_of(memory.stat, "kernel");
}

}  // namespace trine::cgroups::v2
