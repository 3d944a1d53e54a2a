#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cgroups/group.h"
#include "detect.h"

namespace trine::cgroups {
namespace {

/// Options of a version 1 superblock that name no controller.
bool is_controller(const std::string& option) {
  return option != "rw" && option != "ro" && option != "xattr" && option != "noprefix" &&
         option != "clone_children" && option != "cpuset_v2_mode" && !option.starts_with("release_agent=");
}

std::optional<Hierarchy> parse_line(const std::string& line) {
  // …mount point is the fifth field; type, source and superblock options stand behind " - ".
  const auto dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  const auto before = base::split(std::string_view(line).substr(0, dash), ' ');
  const auto after = base::split(std::string_view(line).substr(dash + 3), ' ');
  if (before.size() < 6 || after.size() < 3) return std::nullopt;
  Hierarchy hierarchy{.mount_point = before[4], .controllers = {}, .v2 = after[0] == "cgroup2"};
  if (hierarchy.v2) return hierarchy;
  if (after[0] != "cgroup") return std::nullopt;
  for (auto& option : base::split(after[2], ',')) {
    if (is_controller(option)) hierarchy.controllers.push_back(std::move(option));
  }
  return hierarchy;
}

}  // namespace

Hierarchies parse_mountinfo(const std::string& mountinfo) {
  Hierarchies result;
  bool v1 = false;
  bool v2 = false;
  for (const auto& line : base::split(mountinfo, '\n', base::SplitEmpty::kSkip)) {
    // Most lines are of other file systems, and this is read at every start.
    if (line.find(" - cgroup") == std::string::npos) continue;
    auto hierarchy = parse_line(line);
    if (!hierarchy) continue;
    // The same hierarchy may be mounted more than once; the first is as good as any.
    if (hierarchy->v2 && v2) continue;
    (hierarchy->v2 ? v2 : v1) = true;
    result.all.push_back(std::move(*hierarchy));
  }
  if (v1 && v2) {
    result.layout = Layout::kHybrid;
  } else if (v1 || v2) {
    result.layout = v2 ? Layout::kV2 : Layout::kV1;
  }
  return result;
}

Hierarchies detect() {
  try {
    return parse_mountinfo(base::read_file("/proc/self/mountinfo", 16 << 20));
  } catch (const base::Error&) {
    return {};  // no /proc: then there is nothing to be found either
  }
}

}  // namespace trine::cgroups
