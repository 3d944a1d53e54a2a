#include <nlohmann/json.hpp>
#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cgroups/details.h"
#include "cgroups/group.h"
#include "cgroups/oom.h"
#include "command.h"
#include "commands.h"
#include "runtime/backend/network_namespace.h"
#include "runtime/backend/vm_network.h"
#include "store.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::ordered_json;
using Text = const std::string&;

struct EventsOptions {
  bool stats = false;  ///< print the figures once, and end
  std::chrono::milliseconds interval{5000};
};

void set_interval(EventsOptions& options, Text value) {
  using Unit = std::pair<std::string_view, std::chrono::milliseconds>;
  constexpr std::array kUnits{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                              Unit{"", 1'000}};
  for (const auto& [suffix, unit] : kUnits) {
    if (!value.ends_with(suffix))
      continue;
    const auto number = base::parse_unsigned(value.substr(0, value.size() - suffix.size()));
    if (!number || *number == 0 || *number > 86'400'000 || *number * unit > std::chrono::hours(24))
      break;
    options.interval = *number * unit;
    return;
  }
  throw base::Error("--interval '" + value + "' is no time up to a day", 0, "as in 5s, 100ms or 1m");
}

constexpr args::Flag<EventsOptions> kFlags[] = {
    {{"--stats", nullptr, nullptr, "print its figures once"},
     [](EventsOptions& o, Text v) { o.stats = args::is_on(v); }},
    {{"--interval", "TIME", nullptr, "between figures (default 5s)"}, set_interval},
};

void set(Json& json, const char* name, const std::optional<std::uint64_t>& value) {
  if (value)
    json[name] = *value;
}

Json usage(const cgroups::MemoryUsage& from) {
  Json json = Json::object();
  set(json, "limit", from.limit_bytes);
  set(json, "usage", from.bytes);
  set(json, "max", from.peak_bytes);
  json["failcnt"] = from.failures.value_or(0);
  return json;
}

Json pressure(const cgroups::Pressure& from) {
  Json json = Json::object();
  const auto add = [&](const char* name, const std::optional<cgroups::PressureLine>& line) {
    if (line) {
      json[name] = {{"avg10", line->avg10},
                    {"avg60", line->avg60},
                    {"avg300", line->avg300},
                    {"total", line->total_us}};
    }
  };
  add("some", from.some);
  add("full", from.full);
  return json;
}

Json cpu(const cgroups::CpuDetails& from) {
  Json usage = Json::object();
  set(usage, "total", from.total_ns);
  if (!from.percpu_ns.empty())
    usage["percpu"] = from.percpu_ns;
  set(usage, "kernel", from.kernel_ns);
  set(usage, "user", from.user_ns);
  Json throttling = Json::object();
  set(throttling, "periods", from.periods);
  set(throttling, "throttledPeriods", from.throttled_periods);
  set(throttling, "throttledTime", from.throttled_ns);
  return {{"usage", usage}, {"throttling", throttling}, {"psi", pressure(from.pressure)}};
}

Json memory(const cgroups::MemoryDetails& from) {
  Json json = Json::object();
  set(json, "cache", from.cache_bytes);
  json["usage"] = usage(from.memory);
  json["swap"] = usage(from.memory_and_swap);
  json["kernel"] = usage(from.kernel);
  json["kernelTCP"] = usage(from.kernel_tcp);
  json["raw"] = from.stat;
  json["psi"] = pressure(from.pressure);
  return json;
}

Json entries(const std::vector<cgroups::IoEntry>& from) {
  Json json = Json::array();
  for (const auto& entry : from) {
    json.push_back(
        {{"major", entry.major}, {"minor", entry.minor}, {"op", entry.operation}, {"value", entry.value}});
  }
  return json;
}

Json io(const cgroups::IoDetails& from) {
  return {{"ioServiceBytesRecursive", entries(from.bytes)},
          {"ioServicedRecursive", entries(from.operations)},
          {"ioQueueRecursive", entries(from.queued)},
          {"ioServiceTimeRecursive", entries(from.service_time)},
          {"ioWaitTimeRecursive", entries(from.wait_time)},
          {"ioMergedRecursive", entries(from.merged)},
          {"ioTimeRecursive", entries(from.time)},
          {"sectorsRecursive", entries(from.sectors)},
          {"psi", pressure(from.pressure)}};
}

Json hugepages(const cgroups::Details& from) {
  Json json = Json::object();
  for (const auto& [size, details] : from.hugepages)
    json[size] = usage(details.used);
  return json;
}

Json interfaces(const std::optional<std::vector<netns::Traffic>>& from) {
  if (!from)
    return nullptr;
  Json json = Json::array();
  for (const auto& [name, received, sent] : *from) {
    json.push_back({{"Name", name},
                    {"RxBytes", received.bytes},
                    {"RxPackets", received.packets},
                    {"RxErrors", received.errors},
                    {"RxDropped", received.dropped},
                    {"TxBytes", sent.bytes},
                    {"TxPackets", sent.packets},
                    {"TxErrors", sent.errors},
                    {"TxDropped", sent.dropped}});
  }
  return json;
}

std::optional<std::vector<netns::Traffic>> traffic_of(const Container& container) {
  if (container.state.vm)
    return backend::traffic_of_vm(container.path());
  return backend::traffic_of_process(container.state.pid);
}

/// As runc prints it, which is what readers of these events know.
Json figures(const Container& container, const cgroups::Group& group) {
  const cgroups::Details details = cgroups::details(group);
  Json pids = Json::object();
  set(pids, "current", details.pids.current);
  set(pids, "limit", details.pids.limit);
  return {{"cpu", cpu(details.cpu)},
          {"cpuset", {{"cpus", details.cpuset.cpus}, {"mems", details.cpuset.mems}}},
          {"memory", memory(details.memory)},
          {"pids", pids},
          {"blkio", io(details.io)},
          {"hugetlb", hugepages(details)},
          {"network_interfaces", interfaces(traffic_of(container))}};
}

void print_event(const char* type, const std::string& id, const Json& data) {
  Json event{{"type", type}, {"id", id}};
  if (!data.is_null())
    event["data"] = data;
  print(event.dump() + "\n");
}

/// Figures at each interval, and what the kernel tells of memory in between, until the container ends.
void follow(const Container& container, const cgroups::Group& group, std::chrono::milliseconds interval) {
  using Clock = std::chrono::steady_clock;
  const base::UniqueFd process = container.open_process();
  cgroups::OomWatch oom(group);
  auto next = Clock::now();
  while (process) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    std::array<pollfd, 2> waits{pollfd{.fd = process.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = oom.fd(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(std::max<long>(left, 0)));
    if (ready < 0 && errno != EINTR)
      base::throw_errno("cannot wait for events");
    if (ready > 0 && waits[1].revents != 0 && oom.read().events > 0)
      print_event("oom", container.state.id, nullptr);
    if (ready > 0 && waits[0].revents != 0)
      return;
    if (Clock::now() < next)
      continue;
    print_event("stats", container.state.id, figures(container, group));
    next += interval;
  }
}

}  // namespace

FlagTexts events_flags() {
  return args::flag_texts(kFlags);
}

int run_events(const Globals& globals, Arguments arguments) {
  EventsOptions options;
  const auto rest = parse("events", kFlags, std::move(arguments), options, 1, 1);
  const Container container = Container::open(globals.root, rest.front(), Container::Access::kRead);
  if (container.status() == Status::kStopped)
    throw base::Error("container " + rest.front() + " is stopped: container not running");
  const cgroups::Group group = cgroups::open_group(container.state.cgroups);
  if (options.stats)
    print_event("stats", rest.front(), figures(container, group));
  else
    follow(container, group, options.interval);
  return 0;
}

}  // namespace trine::runtime::oci_cli
