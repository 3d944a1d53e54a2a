// Source: Linux Documentation/admin-guide/cgroup-v1/hugetlb.rst.
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v1 {

void apply_hugetlb(const Directory& directory, const Limits& limits) {
  for (const auto& limit : limits.hugepages) {
    directory.write(
        "hugetlb." + limit.page_size + (limit.reservation ? ".rsvd.limit_in_bytes" : ".limit_in_bytes"),
        std::to_string(limit.bytes), "huge page");
  }
}

}  // namespace trine::cgroups::v1
