// Source: Linux Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst.
#include "../freezer.h"

#include "base/text.h"

namespace trine::cgroups::v1 {

bool has_freezer(const Directory& directory) {
  return directory.has("freezer.state");
}

bool is_frozen(const Directory& directory, bool wanted) {
  const auto state = directory.read("freezer.state");
  if (!state)
    return false;
  if (base::trim(*state) == (wanted ? "FROZEN" : "THAWED"))
    return true;
  // A process that was forked while the group froze may be missed: asking again catches it.
  directory.write("freezer.state", wanted ? "FROZEN" : "THAWED", "freezer");
  return false;
}

void set_frozen(const Directory& directory, bool wanted) {
  directory.write("freezer.state", wanted ? "FROZEN" : "THAWED", "freezer");
}

}  // namespace trine::cgroups::v1
