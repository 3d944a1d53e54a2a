#include "namespace_stats.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace trine::runtime::engine {
namespace {

/// Which pid namespace a process is in; nothing: it has ended.
std::optional<ino_t> pid_namespace(const std::string& process) {
  struct stat status{};
  if (::stat(("/proc/" + process + "/ns/pid").c_str(), &status) != 0)
    return std::nullopt;
  return status.st_ino;
}

std::optional<cgroups::Stats> stats_of(const std::string& process) {
  try {
    return parse_process_stat(base::read_file("/proc/" + process + "/stat"));
  } catch (const base::Error&) {
    return std::nullopt;  // it has ended
  }
}

}  // namespace

cgroups::Stats parse_process_stat(std::string_view line) {
  // The program's name, in brackets, may hold any byte; what follows is numbers.
  const std::size_t name_end = line.rfind(") ");
  if (name_end == std::string_view::npos)
    return {};
  const auto fields = base::split(std::string(line.substr(name_end + 2)), ' ', base::SplitEmpty::kSkip);
  // Counted from the state, which is field 3 of the manual's list.
  constexpr std::array<std::size_t, 4> kTicks{11, 12, 13, 14};  // utime, stime, cutime, cstime
  constexpr std::size_t kResidentPages = 21;
  if (fields.size() <= kResidentPages)
    return {};
  std::uint64_t ticks = 0;
  for (const std::size_t index : kTicks)
    ticks += base::parse_unsigned(fields[index]).value_or(0);
  const std::uint64_t pages = base::parse_unsigned(fields[kResidentPages]).value_or(0);
  const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return {.memory_bytes = pages * page, .cpu_usage_us = ticks * 1'000'000 / ticks_per_second, .pids = 1};
}

cgroups::Stats namespace_stats(pid_t pid) {
  const auto wanted = pid_namespace(std::to_string(pid));
  if (!wanted || wanted == pid_namespace("self"))
    return {};
  cgroups::Stats sum{.memory_bytes = 0, .cpu_usage_us = 0, .pids = 0};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string process = entry.path().filename().string();
    if (!base::parse_unsigned(process) || pid_namespace(process) != wanted)
      continue;
    const auto one = stats_of(process);
    if (!one || !one->pids)
      continue;
    *sum.memory_bytes += *one->memory_bytes;
    *sum.cpu_usage_us += *one->cpu_usage_us;
    *sum.pids += 1;
  }
  return sum;
}

}  // namespace trine::runtime::engine
