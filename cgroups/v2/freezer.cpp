// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "cgroup.freeze".
#include "../freezer.h"

namespace trine::cgroups::v2 {

bool has_freezer(const Directory& directory) {
  return directory.has("cgroup.freeze");
}

bool is_frozen(const Directory& directory, bool wanted) {
  return directory.read_keyed("cgroup.events", "frozen") == (wanted ? 1U : 0U);
}

void set_frozen(const Directory& directory, bool wanted) {
  directory.write("cgroup.freeze", wanted ? "1" : "0", "freezer");
}

}  // namespace trine::cgroups::v2
