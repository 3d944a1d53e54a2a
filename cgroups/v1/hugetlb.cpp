// Source: Linux Documentation/admin-guide/cgroup-v1/hugetlb.rst.
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v1 {

void apply_hugetlb(const Directory& directory, const Limits& limits) {
  for (const auto& limit : limits.hugepages) {
    const auto prefix = "hugetlb." + limit.page_size;
    const auto bytes = std::to_string(limit.bytes);
    directory.write(prefix + ".limit_in_bytes", bytes, "huge page");
    // Above the first limit a process gets a signal when it touches a page; above this one mmap(2) fails.
    if (const auto reservation = prefix + ".rsvd.limit_in_bytes"; directory.has(reservation.c_str()))
      directory.write(reservation, bytes, "huge page");
  }
}

}  // namespace trine::cgroups::v1
