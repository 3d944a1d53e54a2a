#include "runtime/engine/stats.h"

#include <optional>

#include "base/error.h"
#include "layout.h"
#include "namespace_stats.h"
#include "runtime/backend/vm_exec.h"

namespace trine::runtime::engine {
namespace {

cgroups::Stats container_stats(const Record& record) {
  cgroups::Stats stats = cgroups::open_group(record.cgroups).stats();
  if (stats.memory_bytes && stats.cpu_usage_us && stats.pids)
    return stats;
  const cgroups::Stats counted = namespace_stats(record.pid);
  const auto fill = [](auto& figure, const auto& other) {
    if (!figure)
      figure = other;
  };
  fill(stats.memory_bytes, counted.memory_bytes);
  fill(stats.cpu_usage_us, counted.cpu_usage_us);
  fill(stats.pids, counted.pids);
  return stats;
}

/// Nothing: it has ended.
std::optional<cgroups::Stats> stats_of(const Paths& paths, const RunningInstance& instance) {
  if (!instance.process)
    return std::nullopt;
  if (instance.record.isolation == kVmClass)
    return backend::stats_of_vm(control_socket(paths, instance.record));
  return container_stats(instance.record);
}

/// The same, for one of many: what it does not tell is not known, and the others are shown all the same.
std::optional<cgroups::Stats> stats_or_none(const Paths& paths, const RunningInstance& instance) {
  try {
    return stats_of(paths, instance);
  } catch (const base::Error&) {
    return cgroups::Stats{};
  }
}

}  // namespace

std::vector<InstanceStats> read_stats(const Paths& paths, const std::vector<std::string>& references) {
  std::vector<InstanceStats> all;
  for (const std::string& reference : references) {
    RunningInstance instance = find_running(paths, reference, "measure");
    if (auto used = stats_of(paths, instance))
      all.push_back({.record = std::move(instance.record), .used = *used});
  }
  if (!references.empty())
    return all;
  for (Record& record : list_instances(paths)) {
    if (!has_process(record))
      continue;
    RunningInstance instance = open_instance(std::move(record));
    if (auto used = stats_or_none(paths, instance))
      all.push_back({.record = std::move(instance.record), .used = *used});
  }
  return all;
}

}  // namespace trine::runtime::engine
