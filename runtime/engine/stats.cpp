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

}  // namespace

std::vector<InstanceStats> read_stats(const Paths& paths, const std::vector<std::string>& references) {
  std::vector<RunningInstance> instances;
  instances.reserve(references.size());
  for (const std::string& reference : references)
    instances.push_back(find_running(paths, reference, "measure"));
  if (references.empty()) {
    for (Record& record : list_instances(paths)) {
      if (record.status == "running")
        instances.push_back(open_instance(std::move(record)));
    }
  }
  std::vector<InstanceStats> all;
  for (RunningInstance& instance : instances) {
    if (auto used = stats_of(paths, instance))
      all.push_back({.record = std::move(instance.record), .used = *used});
  }
  return all;
}

}  // namespace trine::runtime::engine
