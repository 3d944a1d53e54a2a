#include <climits>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "hvm-sandbox/net_queues.h"
#include "isolation/rlimits.h"
#include "run_values.h"
#include "runtime/backend/vm_rate.h"

namespace trine::runtime::cli {
namespace {

using engine::RunOptions;

/// "0-2,4": numbers and ranges that do not run backwards.
bool is_cpu_list(const std::string& text) {
  for (const auto& part : base::split(text, ',')) {
    const auto dash = part.find('-');
    const auto first = base::parse_unsigned(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : base::parse_unsigned(part.substr(dash + 1));
    if (!first || !last || *first > *last)
      return false;
  }
  return true;
}

backend::Rate read_rate(const char* flag, const std::string& count_key, const std::string& text) {
  try {
    return backend::parse_rate(text, count_key);
  } catch (const base::Error& error) {
    refuse(flag, text, error.message(), error.hint());
  }
}

}  // namespace

std::uint64_t read_size(const char* flag, const std::string& text) {
  const auto size = base::parse_fractional_size(text);
  if (!size || *size > static_cast<std::uint64_t>(INT64_MAX))
    refuse(flag, text, "it is no size", "a number of bytes, or with a unit: 512k, 64m, 1.5g");
  return *size;
}

void set_memory(RunOptions& options, const std::string& text) {
  constexpr std::uint64_t kLeast = 6 << 20;  // Docker's: no program starts with less
  const std::uint64_t bytes = read_size("--memory", text);
  options.limits.memory_bytes.reset();
  if (bytes == 0)
    return;
  if (bytes < kLeast)
    refuse("--memory", text, "it is less than 6 MiB, with which no program starts",
           "give it more, or 0 for no limit");
  options.limits.memory_bytes = static_cast<std::int64_t>(bytes);
}

void set_memory_swap(RunOptions& options, const std::string& text) {
  if (text == "0")  // Docker's: as if it were not given
    return;
  if (!options.limits.memory_bytes)
    refuse("--memory-swap", text, "it limits memory and swap together", "give --memory too");
  if (text == "-1") {
    options.limits.memory_swap_bytes = -1;
    return;
  }
  options.limits.memory_swap_bytes = static_cast<std::int64_t>(read_size("--memory-swap", text));
  if (*options.limits.memory_swap_bytes < *options.limits.memory_bytes) {
    refuse("--memory-swap", text, "it is less than --memory, and is of both together",
           "give at least as much, or -1 for no limit");
  }
}

void set_cpus(RunOptions& options, const std::string& text) {
  constexpr std::uint64_t kPeriod = 100'000;
  char* end = nullptr;
  const double cpus = std::strtod(text.c_str(), &end);
  const bool plain =
      !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos && *end == '\0';
  // The kernel's smallest quota is a millisecond.
  options.limits.cpu.reset();
  if (plain && cpus == 0)
    return;
  if (!plain || cpus < 0.01 || cpus > 100'000)
    refuse("--cpus", text, "it is no number of CPUs from 0.01 up", "as in 0.5, 1 or 2.5; 0 means no limit");
  options.limits.cpu =
      cgroups::CpuQuota{.quota_us = static_cast<std::int64_t>(cpus * kPeriod), .period_us = kPeriod};
}

void set_cpu_shares(RunOptions& options, const std::string& text) {
  const auto shares = base::parse_unsigned(text);
  if (!shares || *shares < 2 || *shares > 262144)
    refuse("--cpu-shares", text, "it is no number from 2 to 262144", "1024 is what others have");
  options.limits.cpu_shares = shares;
}

void set_cpuset(RunOptions& options, const std::string& text) {
  if (!is_cpu_list(text))
    refuse("--cpuset-cpus", text, "it is no list of CPUs", "as in 0-2,4");
  options.limits.cpuset_cpus = text;
}

void set_pids_limit(RunOptions& options, const std::string& text) {
  const auto count = base::parse_unsigned(text);
  if (text != "-1" && (!count || *count > INT_MAX))
    refuse("--pids-limit", text, "it is no number of processes", "as in 100; -1 means no limit");
  options.limits.pids_max.reset();
  if (text != "-1" && *count != 0)
    options.limits.pids_max = static_cast<std::int64_t>(*count);
}

void add_ulimit(RunOptions& options, const std::string& text) {
  const std::string name = text.substr(0, text.find('='));
  if (!isolation::parse_rlimit_name(name))
    refuse("--ulimit", text, "there is no limit '" + name + "'", "as in nofile=1024: see getrlimit(2)");
  try {
    options.ulimits.push_back(isolation::parse_ulimit(text));
  } catch (const base::Error& error) {
    refuse("--ulimit", text, error.what(), "write NAME=SOFT[:HARD], as in nofile=1024:2048");
  }
}

void set_vm_net_rate(RunOptions& options, const std::string& text) {
  options.vm_net_rate = read_rate("--vm-net-rate", "packets", text);
}

void set_vm_net_queues(RunOptions& options, const std::string& text) {
  const auto queues = base::parse_unsigned(text);
  if (!queues || *queues < 1 || *queues > hvm::kMostNetQueues) {
    refuse("--vm-net-queues", text, "it is no number from 1 to " + std::to_string(hvm::kMostNetQueues),
           "one for each processor that --cpus gives the VM is the most that it can use");
  }
  options.vm_net_queues = static_cast<unsigned>(*queues);
}

void set_vm_disk_rate(RunOptions& options, const std::string& text) {
  options.vm_disk_rate = read_rate("--vm-disk-rate", "requests", text);
}

}  // namespace trine::runtime::cli
