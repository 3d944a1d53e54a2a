#include "detect.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "controllers.h"
#include "device_policy.h"

namespace trine::cgroups {
namespace {

constexpr const char* kUsualMountPoint = "/sys/fs/cgroup";

/// What may stand among a version 1 hierarchy's super options and is a controller; the rest (rw, xattr,
/// clone_children, release_agent=…) is not. Source: Linux Documentation/admin-guide/cgroup-v1/.
constexpr std::array<std::string_view, 16> kV1Controllers = {
    "blkio",   "cpu",    "cpuacct", "cpuset",  "debug",    "devices",    "dmem", "freezer",
    "hugetlb", "memory", "misc",    "net_cls", "net_prio", "perf_event", "pids", "rdma"};

/// Takes the next blank-separated word off `text`.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

/// The kernel writes blanks and backslashes in paths as three octal digits ("\040").
std::string unescape(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<std::string> controllers_of(std::string_view super_options) {
  auto options = base::split(super_options, ',', base::SplitEmpty::kSkip);
  std::erase_if(options, [](const std::string& option) {
    return !option.starts_with("name=") && std::ranges::find(kV1Controllers, option) == kV1Controllers.end();
  });
  return options;
}

/// "31 23 0:28 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu". Source:
/// proc_pid_mountinfo(5).
std::optional<Hierarchy> parse_line(std::string_view line) {
  constexpr int kFieldsBeforeMountPoint = 4;
  const auto separator = line.find(" - ");
  if (separator == std::string_view::npos)
    return std::nullopt;
  auto left = line.substr(0, separator);
  auto right = line.substr(separator + 3);

  const auto type = next_word(right);
  if (type != "cgroup" && type != "cgroup2")
    return std::nullopt;
  for (int i = 0; i < kFieldsBeforeMountPoint; ++i)
    next_word(left);
  Hierarchy hierarchy;
  hierarchy.mount_point = unescape(next_word(left));
  hierarchy.v2 = type == "cgroup2";
  if (hierarchy.mount_point.empty() || hierarchy.mount_point.front() != '/')
    return std::nullopt;
  if (!hierarchy.v2) {
    next_word(right);  // the source
    hierarchy.controllers = controllers_of(next_word(right));
    if (hierarchy.controllers.empty())
      return std::nullopt;
  }
  return hierarchy;
}

/// The place where every distribution mounts the hierarchy `name`; empty when it is not there. A symlink
/// stands for another hierarchy, and only the mount table tells which.
std::string usual_place(std::string_view name, long magic) {
  auto path = std::string(kUsualMountPoint) + "/" + std::string(name);
  struct stat status{};
  struct statfs file_system{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return {};
  if (::statfs(path.c_str(), &file_system) != 0 || file_system.f_type != magic)
    return {};
  return path;
}

/// A controller mounted by itself where every distribution does.
std::optional<Hierarchy> usual_v1(std::string_view controller) {
  auto path = usual_place(controller, CGROUP_SUPER_MAGIC);
  if (path.empty())
    return std::nullopt;
  return Hierarchy{.mount_point = std::move(path), .controllers = {std::string(controller)}, .v2 = false};
}

/// The hierarchy of a line of /proc/self/cgroup ("4:cpu,cpuacct:/", "0::/"), when it is at its usual place.
/// Source: cgroups(7), "/proc files".
std::optional<Hierarchy> usual_hierarchy(std::string_view line) {
  const auto begin = line.find(':');
  const auto end = line.find(':', begin + 1);
  if (begin == std::string_view::npos || end == std::string_view::npos)
    return std::nullopt;
  const auto names = line.substr(begin + 1, end - begin - 1);
  Hierarchy hierarchy{.mount_point = {}, .controllers = {}, .v2 = names.empty()};
  if (hierarchy.v2) {
    hierarchy.mount_point = usual_place("unified", CGROUP2_SUPER_MAGIC);
  } else {
    hierarchy.mount_point =
        usual_place(names.starts_with("name=") ? names.substr(5) : names, CGROUP_SUPER_MAGIC);
    hierarchy.controllers = base::split(names, ',', base::SplitEmpty::kSkip);
  }
  if (hierarchy.mount_point.empty())
    return std::nullopt;
  return hierarchy;
}

/// The v1 controllers that `limits` need; nothing when they need v2 in any case.
std::optional<std::vector<std::string_view>> v1_controllers_for(const Limits& limits) {
  if (!limits.unified.empty())
    return std::nullopt;
  std::vector<std::string_view> names;
  for (const auto& controller : controllers()) {
    if (controller.wanted(limits) != nullptr)
      names.push_back(controller.v1_name);
  }
  if (!limits.devices.empty()) {
    const auto policy = v1_policy(limits.devices);
    if (!policy)
      return std::nullopt;
    if (!allows_everything(limits.devices))
      names.emplace_back("devices");
  }
  return names;
}

Layout layout_of(const Hierarchies& hierarchies) {
  const bool v2 = find_v2(hierarchies) != nullptr;
  // A v1 hierarchy with a name and no controller (systemd's own) limits nothing.
  const bool v1 = std::ranges::any_of(hierarchies.all, [](const Hierarchy& hierarchy) {
    return !hierarchy.v2 && std::ranges::any_of(hierarchy.controllers, [](const std::string& controller) {
      return !controller.starts_with("name=");
    });
  });
  if (v1 && v2)
    return Layout::kHybrid;
  if (v1)
    return Layout::kV1;
  return v2 ? Layout::kV2 : Layout::kNone;
}

/// All hierarchies, without the mount table, which grows with the host's mounts: nothing unless each is at
/// its usual place. Version 2 comes first, as in parse_mountinfo().
std::optional<Hierarchies> usual_hierarchies() {
  constexpr std::size_t kLimit = 1 << 20;
  Hierarchies result;
  const std::string text = base::read_file("/proc/self/cgroup", kLimit);
  for (const auto& line : base::split(text, '\n', base::SplitEmpty::kSkip)) {
    auto hierarchy = usual_hierarchy(line);
    if (!hierarchy)
      return std::nullopt;
    result.all.push_back(std::move(*hierarchy));
  }
  std::ranges::reverse(result.all);
  result.layout = layout_of(result);
  return result;
}

}  // namespace

const Hierarchy* find_v1(const Hierarchies& hierarchies, std::string_view controller) {
  for (const auto& hierarchy : hierarchies.all) {
    if (!hierarchy.v2 &&
        std::ranges::find(hierarchy.controllers, controller) != hierarchy.controllers.end()) {
      return &hierarchy;
    }
  }
  return nullptr;
}

const Hierarchy* find_v2(const Hierarchies& hierarchies) {
  const auto found = std::ranges::find_if(hierarchies.all, &Hierarchy::v2);
  return found == hierarchies.all.end() ? nullptr : &*found;
}

Hierarchies parse_mountinfo(std::string_view text) {
  Hierarchies result;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto hierarchy = parse_line(line);
    if (!hierarchy)
      continue;
    const bool known = hierarchy->v2 ? find_v2(result) != nullptr
                                     : find_v1(result, hierarchy->controllers.front()) != nullptr;
    if (known)
      continue;
    result.all.insert(hierarchy->v2 ? result.all.begin() : result.all.end(), std::move(*hierarchy));
  }
  result.layout = layout_of(result);
  return result;
}

std::optional<std::string> parse_own_v2_path(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with("0::/"))
      continue;
    std::string path(line.substr(3));
    if (path.starts_with("/..") || path.ends_with(" (deleted)"))
      return std::nullopt;
    return path;
  }
  return std::nullopt;
}

Hierarchies detect() {
  struct statfs file_system{};
  if (::statfs(kUsualMountPoint, &file_system) == 0 && file_system.f_type == CGROUP2_SUPER_MAGIC) {
    return {.layout = Layout::kV2, .all = {{.mount_point = kUsualMountPoint, .controllers = {}, .v2 = true}}};
  }
  // Every mount is a line of about 100 bytes; the bound is far above the kernel's own (fs.mount-max).
  constexpr std::size_t kLimit = 64 << 20;
  try {
    if (auto usual = usual_hierarchies())
      return *std::move(usual);
    return parse_mountinfo(base::read_file("/proc/self/mountinfo", kLimit));
  } catch (const base::Error&) {
    return {};  // no /proc: nothing is known, and a limit that is asked for will say so
  }
}

Hierarchies detect_for(const Limits& limits) {
  const auto names = v1_controllers_for(limits);
  if (!names)
    return detect();
  Hierarchies found;
  for (const auto name : *names) {
    auto hierarchy = usual_v1(name);
    // On a pure v2 machine the first one ends the search, and detect() is a single call there too.
    if (!hierarchy)
      return detect();
    found.all.push_back(std::move(*hierarchy));
    found.layout = Layout::kV1;
  }
  return found;
}

std::vector<std::string> v2_controllers(const Hierarchy& hierarchy) {
  try {
    const auto text = base::read_file(hierarchy.mount_point + "/cgroup.controllers", 4096);
    return base::split(base::trim(text), ' ', base::SplitEmpty::kSkip);
  } catch (const base::Error&) {
    return {};  // unmounted meanwhile: it offers none
  }
}

}  // namespace trine::cgroups
