// Source: Linux Documentation/admin-guide/cgroup-v1/cpusets.rst.
#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "../controllers.h"
#include "base/error.h"
#include "base/text.h"

namespace trine::cgroups::v1 {
namespace {

Directory parent_of(const Directory& directory) {
  Directory parent{.path = directory.path + "/..", .v2 = false, .fd = {}};
  parent.fd.reset(::openat(directory.fd.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return parent;
}

/// A new cpuset is empty, and takes no process while it is. Fills `file` from the parent, which may itself be
/// new and empty. The root of the hierarchy never is; `levels` bounds the way to it.
std::string fill(const Directory& directory, const char* file, int levels) {
  const auto own = directory.read(file);
  if (!own || levels == 0) {
    throw base::Error("cannot use " + directory.path + ": no group above it has any " + file, ENOENT);
  }
  std::string value(base::trim(*own));
  if (value.empty()) {
    value = fill(parent_of(directory), file, levels - 1);
    directory.write(file, value, "cpuset");
  }
  return value;
}

void apply(const Directory& directory, const char* file, const std::optional<std::string>& value,
           std::string_view limit) {
  constexpr int kMaximumDepth = 64;
  if (!value) {
    fill(directory, file, kMaximumDepth);
    return;
  }
  fill(parent_of(directory), file, kMaximumDepth);  // a set must lie within the parent's
  directory.write(file, *value, limit);
}

}  // namespace

void apply_cpuset(const Directory& directory, const Limits& limits) {
  apply(directory, "cpuset.cpus", limits.cpuset_cpus, "cpuset CPUs");
  apply(directory, "cpuset.mems", limits.cpuset_mems, "cpuset memory nodes");
}

void detail_cpuset(const Directory& directory, Details& details) {
  for (const auto& file : directory.files()) {
    if (!file.starts_with("cpuset."))
      continue;
    const std::string text(base::trim(directory.read(file.c_str()).value_or("")));
    const auto name = file.substr(std::string_view("cpuset.").size());
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (name == "effective_cpus") {
      details.cpuset.cpus = text;
    } else if (name == "effective_mems") {
      details.cpuset.mems = text;
    } else if (name != "cpus" && name != "mems" && parsed.ec == std::errc{}) {
      details.cpuset.values[name] = number;
    }
  }
}

}  // namespace trine::cgroups::v1
