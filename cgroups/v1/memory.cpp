// Source: Linux Documentation/admin-guide/cgroup-v1/memory.rst.
#include <cerrno>
#include <string>

#include "../controllers.h"
#include "../figures.h"

namespace trine::cgroups::v1 {
namespace {

constexpr const char* kMemory = "memory.limit_in_bytes";
constexpr const char* kMemoryAndSwap = "memory.memsw.limit_in_bytes";

void write_memory(const Directory& directory, const Limits& limits) {
  if (limits.memory_bytes)
    directory.write(kMemory, std::to_string(*limits.memory_bytes), "memory");
}

/// The sum cannot be limited where the memory is not.
std::optional<std::int64_t> sum_of(const Limits& limits) {
  const bool unlimited = limits.memory_bytes.value_or(0) < 0 && !limits.memory_swap_bytes;
  return unlimited ? limits.memory_bytes : limits.memory_swap_bytes;
}

void write_swap(const Directory& directory, const Limits& limits) {
  const auto sum = sum_of(limits);
  if (!sum)
    return;
  // Unlimited is what a kernel without swap accounting, and so without the file, gives anyway.
  const bool dispensable = limits.memory_swap_is_default || *sum < 0;
  if (dispensable && !directory.has(kMemoryAndSwap))
    return;
  directory.write(kMemoryAndSwap, std::to_string(*sum), "swap");
}

/// The kernel keeps memory <= memory and swap at every moment. In a new group, and when both go down, the
/// memory goes first; when the kernel refuses that, both go up, and the sum has to make room before.
void apply_sizes(const Directory& directory, const Limits& limits) {
  const bool both = limits.memory_bytes && sum_of(limits);
  const int refused = both ? directory.try_write(kMemory, std::to_string(*limits.memory_bytes)) : 0;
  if (refused == EINVAL)
    write_swap(directory, limits);
  if (!both || refused != 0)
    write_memory(directory, limits);
  if (refused != EINVAL)
    write_swap(directory, limits);
}

}  // namespace

void apply_memory(const Directory& directory, const Limits& limits) {
  apply_sizes(directory, limits);
  if (limits.memory_reservation_bytes) {
    directory.write("memory.soft_limit_in_bytes", std::to_string(*limits.memory_reservation_bytes),
                    "memory reservation");
  }
  if (limits.memory_kernel_tcp_bytes) {
    directory.write("memory.kmem.tcp.limit_in_bytes", std::to_string(*limits.memory_kernel_tcp_bytes),
                    "TCP memory");
  }
  if (limits.memory_swappiness) {
    directory.write("memory.swappiness", std::to_string(*limits.memory_swappiness), "swappiness");
  }
  if (limits.disable_oom_killer)
    directory.write("memory.oom_control", "1", "OOM killer");
}

void read_memory(const Directory& directory, Stats& stats) {
  if (const auto bytes = directory.read_number("memory.usage_in_bytes"))
    stats.memory_bytes = bytes;
  if (const auto peak = directory.read_number("memory.max_usage_in_bytes"))
    stats.memory_peak_bytes = peak;
  if (const auto kills = directory.read_keyed("memory.oom_control", "oom_kill"))
    stats.oom_kills = kills;
}

void detail_memory(const Directory& directory, Details& details) {
  MemoryDetails& memory = details.memory;
  const auto usage = [&directory](const std::string& prefix) {
    return read_usage(directory, {.current = prefix + ".usage_in_bytes",
                                  .peak = prefix + ".max_usage_in_bytes",
                                  .failures = prefix + ".failcnt",
                                  .limit = prefix + ".limit_in_bytes"});
  };
  memory.memory = usage("memory");
  memory.memory_and_swap = usage("memory.memsw");
  memory.kernel = usage("memory.kmem");
  memory.kernel_tcp = usage("memory.kmem.tcp");
  memory.stat = parse_keyed(directory.read("memory.stat").value_or(""));
  if (const auto cache = memory.stat.find("cache"); cache != memory.stat.end())
    memory.cache_bytes = cache->second;
  memory.oom_kills = directory.read_keyed("memory.oom_control", "oom_kill");
}

}  // namespace trine::cgroups::v1
