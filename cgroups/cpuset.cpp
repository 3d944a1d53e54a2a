#include "base/text.h"
#include "internal.h"

namespace trine::cgroups {
namespace {

bool wanted(const Limits& limits) {
  return limits.cpuset_cpus || limits.cpuset_mems;
}

void write_wanted(const Directory& directory, const Limits& limits) {
  if (limits.cpuset_cpus)
    directory.write("cpuset.cpus", *limits.cpuset_cpus, "the CPUs to " + *limits.cpuset_cpus);
  if (limits.cpuset_mems) {
    directory.write("cpuset.mems", *limits.cpuset_mems, "the memory nodes to " + *limits.cpuset_mems);
  }
}

/// A new group of version 1 has no CPU and no memory node, and takes no process until it has both.
void inherit(const Directory& directory, const char* file) {
  const Directory parent(directory.path().substr(0, directory.path().find_last_of('/')));
  if (const auto value = parent.read(file)) {
    directory.write(file, std::string(base::trim(*value)), std::string("the parent's ") + file);
  }
}

void apply_v1(const Directory& directory, const Limits& limits) {
  if (!limits.cpuset_cpus)
    inherit(directory, "cpuset.cpus");
  if (!limits.cpuset_mems)
    inherit(directory, "cpuset.mems");
  write_wanted(directory, limits);
}

}  // namespace

const Controller kCpuset{"cpuset", "cpuset", "CPUs and memory nodes", wanted, apply_v1, write_wanted};

}  // namespace trine::cgroups
