// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "HugeTLB".
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v2 {

void apply_hugetlb(const Directory& directory, const Limits& limits) {
  for (const auto& limit : limits.hugepages) {
    directory.write("hugetlb." + limit.page_size + (limit.reservation ? ".rsvd.max" : ".max"),
                    std::to_string(limit.bytes), "huge page");
  }
}

}  // namespace trine::cgroups::v2
