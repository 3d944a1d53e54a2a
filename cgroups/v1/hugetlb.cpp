// Source: Linux Documentation/admin-guide/cgroup-v1/hugetlb.rst.
#include <string>

#include "../controllers.h"
#include "../figures.h"

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

void detail_hugetlb(const Directory& directory, Details& details) {
  for (const auto& size : hugepage_sizes(directory.files())) {
    const auto usage = [&directory](const std::string& prefix) {
      return read_usage(directory, {.current = prefix + ".usage_in_bytes",
                                    .peak = prefix + ".max_usage_in_bytes",
                                    .failures = prefix + ".failcnt",
                                    .limit = prefix + ".limit_in_bytes"});
    };
    details.hugepages[size] = {.used = usage("hugetlb." + size),
                               .reserved = usage("hugetlb." + size + ".rsvd")};
  }
}

}  // namespace trine::cgroups::v1
