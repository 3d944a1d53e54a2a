#include "cgroups/details.h"

#include <algorithm>

#include "controllers.h"
#include "directory.h"
#include "figures.h"

namespace trine::cgroups {
namespace {

/// The core of version 2 has these in every group, whatever its controllers.
void read_core(const Directory& directory, Details& details) {
  const auto pressure = [&directory](const char* file) {
    return parse_pressure(directory.read(file).value_or(""));
  };
  details.cpu.pressure = pressure("cpu.pressure");
  details.memory.pressure = pressure("memory.pressure");
  details.io.pressure = pressure("io.pressure");
  if (!details.cpu.total_ns)
    v2::detail_cpu(directory, details);
}

}  // namespace

Details details(const Group& group) {
  Details details;
  for (const auto& directory : group.directories_) {
    const auto names = controllers_in(directory);
    for (const auto& controller : controllers()) {
      const auto name = directory.v2 ? controller.v2_name : controller.v1_name;
      auto* const read = directory.v2 ? controller.details_v2 : controller.details_v1;
      if (read != nullptr && std::ranges::find(names, name) != names.end())
        read(directory, details);
    }
  }
  for (const auto& directory : group.directories_) {
    if (directory.v2)
      read_core(directory, details);
  }
  if (!details.pids.current)
    details.pids.current = group.stats().pids;
  return details;
}

}  // namespace trine::cgroups
