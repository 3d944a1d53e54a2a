#include "isolation/resctrl.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace trine::isolation {
namespace {

bool has_own_class(const Resctrl& group) {
  return group.clos_id.empty();
}

std::string class_directory(const std::string& root, const Resctrl& group) {
  if (group.clos_id == "/")
    return root;
  const std::string& name = has_own_class(group) ? group.container_id : group.clos_id;
  if (name.empty())
    throw base::Error("cannot name a class of resctrl: the container has no id");
  return root + "/" + name;
}

std::string monitoring_directory(const std::string& root, const Resctrl& group) {
  return class_directory(root, group) + "/mon_groups/" + group.container_id;
}

/// What the kernel says about the last command that failed, as a hint.
std::string kernel_reason(const std::string& root) {
  try {
    const std::string text = base::read_file(root + "/info/last_cmd_status");
    return text.starts_with("ok") ? "" : "the kernel says: " + std::string(base::trim(text));
  } catch (const base::Error&) {
    return {};  // only the hint is missing
  }
}

/// "L3" and {"0=7f0", "1=1f"} of "L3:0=7f0;1=01f", its masks without leading zeroes.
struct Schema {
  std::string resource;
  std::vector<std::string> domains;
};

Schema parse_schema(std::string_view line) {
  const auto colon = line.find(':');
  Schema schema{.resource = std::string(base::trim(line.substr(0, colon))), .domains = {}};
  if (colon == std::string_view::npos)
    return schema;
  for (const auto& domain : base::split(line.substr(colon + 1), ';', base::SplitEmpty::kSkip)) {
    const std::string_view text = base::trim(domain);
    const auto equals = text.find('=');
    std::string_view mask = equals == std::string_view::npos ? "" : base::trim(text.substr(equals + 1));
    mask.remove_prefix(std::min(mask.find_first_not_of('0'), mask.size()));
    schema.domains.push_back(std::string(base::trim(text.substr(0, equals))) + "=" + std::string(mask));
  }
  return schema;
}

/// Whether a class that is there has what a line asks for.
bool has_schema(const std::string& present, const std::string& line) {
  const Schema wanted = parse_schema(line);
  for (const auto& other : base::split(present, '\n', base::SplitEmpty::kSkip)) {
    const Schema schema = parse_schema(other);
    if (schema.resource != wanted.resource)
      continue;
    return std::ranges::all_of(wanted.domains, [&](const std::string& domain) {
      return std::ranges::find(schema.domains, domain) != schema.domains.end();
    });
  }
  return false;
}

void check_schemata(const std::string& directory, const Resctrl& group) {
  if (group.schemata.empty())
    return;
  const std::string present = base::read_file(directory + "/schemata");
  for (const auto& line : group.schemata) {
    if (!has_schema(present, line))
      throw base::Error(
          "cannot use the class of resctrl " + directory + ": it has not the schema '" + line + "'", 0,
          "the class was there before: take another closID, or its own schemata");
  }
}

void write_schemata(const std::string& root, const std::string& directory, const Resctrl& group) {
  for (const auto& line : group.schemata) {
    try {
      base::write_value(directory + "/schemata", line + "\n");
    } catch (const base::Error& error) {
      throw base::Error("cannot set the schema '" + line + "' in " + directory, error.errno_value(),
                        kernel_reason(root));
    }
  }
}

/// Whether it was made; false: it was there.
bool make_directory(const std::string& root, const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0)
    return true;
  if (errno == EEXIST)
    return false;
  const int saved = errno;
  throw base::Error(
      "cannot make " + path, saved,
      saved == ENOSPC ? "the machine has no more classes or monitoring groups" : kernel_reason(root));
}

void make_class(const std::string& root, const Resctrl& group) {
  const std::string directory = class_directory(root, group);
  struct stat status{};
  const bool must_exist = !has_own_class(group) && group.schemata.empty();
  if (must_exist && ::stat(directory.c_str(), &status) != 0)
    base::throw_errno("cannot use the class of resctrl " + directory,
                      "a closID without schemata names a class that is there: make it first");
  if (must_exist)
    return;
  if (directory != root && make_directory(root, directory)) {
    try {
      write_schemata(root, directory, group);
    } catch (...) {
      ::rmdir(directory.c_str());
      throw;
    }
    return;
  }
  if (has_own_class(group))
    throw base::Error("cannot make " + directory + ": it exists already", 0,
                      "another container has left it: rmdir it");
  check_schemata(directory, group);
}

}  // namespace

std::string find_resctrl() {
  const std::string mounts = base::read_file("/proc/self/mountinfo", 64 << 20);
  for (const auto& line : base::split(mounts, '\n', base::SplitEmpty::kSkip)) {
    const auto separator = line.find(" - ");
    if (separator == std::string::npos ||
        !std::string_view(line).substr(separator + 3).starts_with("resctrl "))
      continue;
    constexpr std::size_t kMountPoint = 4;
    return base::split(line, ' ')[kMountPoint];
  }
  throw base::Error("cannot use linux.intelRdt: resctrl is not mounted", 0,
                    "mount -t resctrl resctrl /sys/fs/resctrl, on a machine that has it");
}

void make_resctrl_group(const std::string& root, const Resctrl& group) {
  make_class(root, group);
  if (!group.monitoring)
    return;
  try {
    if (!make_directory(root, monitoring_directory(root, group)))
      throw base::Error("cannot make " + monitoring_directory(root, group) + ": it exists already", 0,
                        "another container has left it: rmdir it");
  } catch (...) {
    if (has_own_class(group))
      ::rmdir(class_directory(root, group).c_str());
    throw;
  }
}

void join_resctrl_group(const std::string& root, const Resctrl& group, pid_t pid) {
  // The class first: a monitoring group takes only processes of its own class.
  base::write_value(class_directory(root, group) + "/tasks", std::to_string(pid));
  if (group.monitoring)
    base::write_value(monitoring_directory(root, group) + "/tasks", std::to_string(pid));
}

void remove_resctrl_group(const std::string& root, const Resctrl& group) {
  const auto remove = [](const std::string& path) {
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT)
      base::throw_errno("cannot remove " + path);
  };
  if (group.monitoring)
    remove(monitoring_directory(root, group));
  if (has_own_class(group))
    remove(class_directory(root, group));
}

}  // namespace trine::isolation
