#include "stats_verb.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>
#include <thread>

#include "base/error.h"
#include "flags.h"
#include "isolation/rootless.h"
#include "runtime/engine/stats.h"
#include "table.h"

namespace trine::runtime::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kInterval(1);
constexpr const char* kUnknown = "--";

struct StatsOptions {
  bool once = false;
  std::string format = "table";
};
const Flag<StatsOptions> kStatsFlags[] = {
    {{"--no-stream", nullptr, "Output", "print the figures once, and end"},
     [](StatsOptions& o, const std::string& v) { o.once = is_on(v); }},
    {{"--format", "table|json", "Output", "how to print"},
     [](StatsOptions& o, const std::string& v) { o.format = v; }},
};

/// The figures of one moment.
struct Sample {
  Clock::time_point when;
  std::vector<engine::InstanceStats> instances;
};

Sample take_sample(const engine::Paths& paths, const std::vector<std::string>& references) {
  Sample sample{.when = Clock::now(), .instances = engine::read_stats(paths, references)};
  return sample;
}

/// CPU time of each instance between two moments, in percent of one processor.
std::map<std::string, double> cpu_between(const Sample& before, const Sample& after) {
  const double elapsed = std::chrono::duration<double, std::micro>(after.when - before.when).count();
  std::map<std::string, std::uint64_t> used_before;
  for (const auto& one : before.instances) {
    if (one.used.cpu_usage_us)
      used_before[one.record.id] = *one.used.cpu_usage_us;
  }
  std::map<std::string, double> percent;
  for (const auto& one : after.instances) {
    const auto found = used_before.find(one.record.id);
    // A process that ended without being waited for takes its time out of a sum.
    if (found != used_before.end() && one.used.cpu_usage_us && elapsed > 0 &&
        *one.used.cpu_usage_us >= found->second)
      percent[one.record.id] = 100.0 * static_cast<double>(*one.used.cpu_usage_us - found->second) / elapsed;
  }
  return percent;
}

std::string percent_text(double percent) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f%%", percent);
  return text.data();
}

/// Of all its interfaces together, one way.
std::string bytes_text(const std::optional<std::vector<netns::Traffic>>& network,
                       netns::Counters netns::Traffic::* way) {
  if (!network)
    return kUnknown;
  const auto add = [&](std::uint64_t sum, const netns::Traffic& one) { return sum + (one.*way).bytes; };
  return human_size(std::accumulate(network->begin(), network->end(), std::uint64_t{0}, add));
}

std::string as_table(const Sample& sample, const std::map<std::string, double>& cpu) {
  std::vector<std::vector<std::string>> rows{{"NAME", "CLASS", "CPU", "MEM", "RX", "TX", "PIDS"}};
  for (const auto& [record, used, network] : sample.instances) {
    const auto share = cpu.find(record.id);
    rows.push_back(
        {record.name, record.isolation, share == cpu.end() ? kUnknown : percent_text(share->second),
         used.memory_bytes ? human_size(*used.memory_bytes) : kUnknown,
         bytes_text(network, &netns::Traffic::received), bytes_text(network, &netns::Traffic::sent),
         used.pids ? std::to_string(*used.pids) : kUnknown});
  }
  return format_table(rows);
}

nlohmann::ordered_json number_or_null(const std::optional<std::uint64_t>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json interfaces(const std::optional<std::vector<netns::Traffic>>& network) {
  if (!network)
    return nullptr;
  auto list = nlohmann::ordered_json::array();
  for (const auto& [name, received, sent] : *network) {
    list.push_back({{"name", name},
                    {"rx_bytes", received.bytes},
                    {"rx_packets", received.packets},
                    {"rx_errors", received.errors},
                    {"rx_dropped", received.dropped},
                    {"tx_bytes", sent.bytes},
                    {"tx_packets", sent.packets},
                    {"tx_errors", sent.errors},
                    {"tx_dropped", sent.dropped}});
  }
  return list;
}

std::string as_json(const Sample& sample, const std::map<std::string, double>& cpu, bool on_one_line) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [record, used, network] : sample.instances) {
    const auto share = cpu.find(record.id);
    list.push_back({{"id", record.id},
                    {"name", record.name},
                    {"class", record.isolation},
                    {"cpu_percent", share == cpu.end() ? nlohmann::ordered_json(nullptr)
                                                       : nlohmann::ordered_json(share->second)},
                    {"cpu_microseconds", number_or_null(used.cpu_usage_us)},
                    {"memory_bytes", number_or_null(used.memory_bytes)},
                    {"processes", number_or_null(used.pids)},
                    {"network", interfaces(network)}});
  }
  return list.dump(on_one_line ? -1 : 2) + "\n";
}

}  // namespace

std::vector<FlagText> stats_flag_texts() {
  return flag_texts(kStatsFlags);
}

int run_stats(const engine::Paths& paths, std::vector<std::string> arguments) {
  StatsOptions options;
  const auto references = parse_flags("stats", kStatsFlags, std::move(arguments), options);
  if (options.format != "table" && options.format != "json")
    throw base::Error("--format '" + options.format + "' is unknown", 0, "table or json");
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  const bool clear_screen = !options.once && options.format == "table" && ::isatty(STDOUT_FILENO) == 1;
  Sample before = take_sample(paths, references);
  while (true) {
    std::this_thread::sleep_for(kInterval);
    Sample now = take_sample(paths, references);
    const auto cpu = cpu_between(before, now);
    const std::string text = options.format == "json" ? as_json(now, cpu, !options.once) : as_table(now, cpu);
    print(clear_screen ? "\033[H\033[2J" + text : text);
    if (options.once)
      return 0;
    before = std::move(now);
  }
}

}  // namespace trine::runtime::cli
