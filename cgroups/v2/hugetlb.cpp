// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "HugeTLB".
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v2 {

void apply_hugetlb(const Directory& directory, const Limits& limits) {
  for (const auto& limit : limits.hugepages) {
    const auto prefix = "hugetlb." + limit.page_size;
    const auto bytes = std::to_string(limit.bytes);
    directory.write(prefix + ".max", bytes, "huge page");
    // Above the first limit a process gets a signal when it touches a page; above this one mmap(2) fails.
    if (const auto reservation = prefix + ".rsvd.max"; directory.has(reservation.c_str()))
      directory.write(reservation, bytes, "huge page");
  }
}

}  // namespace trine::cgroups::v2
