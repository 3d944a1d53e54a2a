// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "HugeTLB".
#include <string>

#include "../controllers.h"
#include "../figures.h"

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

void detail_hugetlb(const Directory& directory, Details& details) {
  for (const auto& size : hugepage_sizes(directory.files())) {
    const auto usage = [&directory](const std::string& prefix) {
      return read_usage(
          directory, {.current = prefix + ".current", .peak = {}, .failures = {}, .limit = prefix + ".max"});
    };
    const auto prefix = "hugetlb." + size;
    auto& found = details.hugepages[size];
    found = {.used = usage(prefix), .reserved = usage(prefix + ".rsvd")};
    found.used.failures = directory.read_keyed((prefix + ".events").c_str(), "max");
  }
}

}  // namespace trine::cgroups::v2
