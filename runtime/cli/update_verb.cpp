#include "update_verb.h"

#include <algorithm>

#include "base/error.h"
#include "flags.h"
#include "run_values.h"
#include "runtime/engine/update.h"

namespace trine::runtime::cli {
namespace {

using engine::RunOptions;
using Text = const std::string&;

constexpr std::int64_t kUnlimited = -1;

/// The flags of `trine run`, but that no limit is something to set.
const Flag<RunOptions> kUpdateFlags[] = {
    {{"-m,--memory", "SIZE", "Limits", "memory (b, k, m, g); 0 for no limit"},
     [](RunOptions& o, Text v) {
       set_memory(o, v);
       o.limits.memory_bytes = o.limits.memory_bytes.value_or(kUnlimited);
     }},
    {{"--memory-swap", "SIZE", "Limits",
      "memory and swap together (default: twice the memory); -1 for no limit"},
     set_memory_swap},
    {{"--cpus", "NUMBER", "Limits", "CPUs' worth of time, as in 1.5; 0 for no limit"},
     [](RunOptions& o, Text v) {
       set_cpus(o, v);
       o.limits.cpu = o.limits.cpu.value_or(cgroups::CpuQuota{.quota_us = kUnlimited});
     }},
    {{"--cpu-shares", "NUMBER", "Limits", "share of busy CPUs, 2 to 262144"}, set_cpu_shares},
    {{"--cpuset-cpus", "LIST", "Limits", "which CPUs, as in 0-2,4"}, set_cpuset},
    {{"--pids-limit", "NUMBER", "Limits", "processes; -1 for no limit"},
     [](RunOptions& o, Text v) {
       set_pids_limit(o, v);
       o.limits.pids_max = o.limits.pids_max.value_or(kUnlimited);
     }},
};

}  // namespace

std::vector<FlagText> update_flag_texts() {
  return flag_texts(kUpdateFlags);
}

int run_update(const engine::Paths& paths, std::vector<std::string> arguments) {
  ParsedFlags parsed = parse_words("update", update_flag_texts(), std::move(arguments));
  if (parsed.rest.size() != 1)
    throw base::Error("trine update needs one instance", 0, "trine update [FLAG]... INSTANCE");
  if (std::ranges::all_of(parsed.values, [](const auto& values) { return values.empty(); }))
    throw base::Error("trine update needs a limit to change", 0, "as in --memory 512m: trine update --help");
  RunOptions options;
  apply_flags(kUpdateFlags, parsed, options);
  engine::update_instance(paths, parsed.rest.front(), std::move(options.limits));
  print(parsed.rest.front() + "\n");
  return 0;
}

}  // namespace trine::runtime::cli
