// Source: Linux Documentation/admin-guide/cgroup-v1/cpusets.rst.
#include <fcntl.h>

#include <cerrno>
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

}  // namespace trine::cgroups::v1
