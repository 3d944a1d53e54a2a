#include "base/error.h"
#include "internal.h"

namespace trine::cgroups {
namespace {

std::string describe(std::int64_t bytes) {
  return bytes < 0 ? "no limit" : std::to_string(bytes) + " bytes";
}

std::string v2_value(std::int64_t bytes) {
  return bytes < 0 ? "max" : std::to_string(bytes);
}

bool wanted(const Limits& limits) {
  return limits.memory_bytes || limits.memory_swap_bytes || limits.memory_reservation_bytes ||
         limits.memory_swappiness || limits.disable_oom_killer;
}

void write_swap_v1(const Directory& directory, std::int64_t bytes) {
  if (!directory.has("memory.memsw.limit_in_bytes")) {
    // The kernel does not account swap. A limit that only closes swap off is kept where there is none to use.
    throw base::Error("cannot limit swap to " + describe(bytes) + ": this kernel does not account swap",
                      ENOENT, "boot with swapaccount=1, or leave --memory-swap out");
  }
  directory.write("memory.memsw.limit_in_bytes", bytes, "the limit of memory and swap");
}

void apply_v1(const Directory& directory, const Limits& limits) {
  // The limit of both must never be below that of memory: a new group has none, so memory goes first.
  if (limits.memory_bytes) {
    directory.write("memory.limit_in_bytes", *limits.memory_bytes,
                    "the memory limit to " + describe(*limits.memory_bytes));
  }
  if (limits.memory_swap_bytes)
    write_swap_v1(directory, *limits.memory_swap_bytes);
  if (limits.memory_reservation_bytes) {
    directory.write("memory.soft_limit_in_bytes", *limits.memory_reservation_bytes, "the memory reservation");
  }
  if (limits.memory_swappiness) {
    directory.write("memory.swappiness", static_cast<std::int64_t>(*limits.memory_swappiness), "swappiness");
  }
  if (limits.disable_oom_killer)
    directory.write("memory.oom_control", 1, "the OOM killer off");
}

/// Version 2 limits swap alone, the interface both together.
std::string swap_alone(const Limits& limits) {
  if (*limits.memory_swap_bytes < 0)
    return "max";
  if (!limits.memory_bytes || *limits.memory_bytes < 0) {
    throw base::Error("cannot limit swap without a limit of memory", EINVAL,
                      "the limit is of memory and swap together: give --memory too");
  }
  if (*limits.memory_swap_bytes < *limits.memory_bytes) {
    throw base::Error("cannot limit memory and swap to less than memory alone", EINVAL);
  }
  return std::to_string(*limits.memory_swap_bytes - *limits.memory_bytes);
}

void apply_v2(const Directory& directory, const Limits& limits) {
  if (limits.memory_swappiness || limits.disable_oom_killer) {
    throw base::Error("cannot set swappiness or turn off the OOM killer: cgroup v2 has neither", ENOENT);
  }
  if (limits.memory_swap_bytes)
    directory.write("memory.swap.max", swap_alone(limits), "the swap limit");
  if (limits.memory_bytes) {
    directory.write("memory.max", v2_value(*limits.memory_bytes),
                    "the memory limit to " + describe(*limits.memory_bytes));
  }
  if (limits.memory_reservation_bytes) {
    directory.write("memory.low", v2_value(*limits.memory_reservation_bytes), "the memory reservation");
  }
}

}  // namespace

const Controller kMemory{"memory", "memory", "memory", wanted, apply_v1, apply_v2};

}  // namespace trine::cgroups
