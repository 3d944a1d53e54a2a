#include "runtime/engine/stats.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "layout.h"
#include "namespace_stats.h"
#include "runtime/backend/network_namespace.h"
#include "runtime/backend/vm_exec.h"
#include "runtime/backend/vm_network.h"

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

std::optional<std::vector<netns::Traffic>> network_of(const Paths& paths, const Record& record) {
  if (record.isolation == kVmClass)
    return backend::traffic_of_vm(run_root(paths) + "/" + record.id);
  return backend::traffic_of_process(record.pid);
}

std::optional<InstanceStats> measure(const Paths& paths, const RunningInstance& instance) {
  const auto used = stats_of(paths, instance);
  if (!used)
    return std::nullopt;
  return InstanceStats{
      .record = instance.record, .used = *used, .network = network_of(paths, instance.record)};
}

/// The same, for one of many: what it does not tell is not known, and the others are shown all the same.
std::optional<InstanceStats> measure_what_tells(const Paths& paths, const RunningInstance& instance) {
  try {
    return measure(paths, instance);
  } catch (const base::Error&) {
    return InstanceStats{.record = instance.record, .used = {}, .network = {}};
  }
}

}  // namespace

std::vector<InstanceStats> read_stats(const Paths& paths, const std::vector<std::string>& references) {
  std::vector<InstanceStats> all;
  for (const std::string& reference : references) {
    if (auto measured = measure(paths, find_running(paths, reference, "measure")))
      all.push_back(std::move(*measured));
  }
  if (!references.empty())
    return all;
  for (Record& record : list_instances(paths)) {
    if (!has_process(record))
      continue;
    if (auto measured = measure_what_tells(paths, open_instance(std::move(record))))
      all.push_back(std::move(*measured));
  }
  return all;
}

}  // namespace trine::runtime::engine
