#include "internal.h"

namespace trine::cgroups {
namespace {

bool wanted(const Limits& limits) {
  return limits.pids_max.has_value();
}

void apply(const Directory& directory, const Limits& limits) {
  const std::int64_t count = *limits.pids_max;
  directory.write("pids.max", count < 0 ? "max" : std::to_string(count), "the number of processes");
}

}  // namespace

const Controller kPids{"pids", "pids", "the number of processes", wanted, apply, apply};

}  // namespace trine::cgroups
