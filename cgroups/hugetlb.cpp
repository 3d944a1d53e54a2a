#include "internal.h"

namespace trine::cgroups {
namespace {

bool wanted(const Limits& limits) {
  return !limits.hugepages.empty();
}

void apply(const Directory& directory, const Limits& limits, const char* suffix) {
  for (const auto& limit : limits.hugepages) {
    const std::string file = "hugetlb." + limit.page_size + (limit.reservation ? ".rsvd" : "") + suffix;
    directory.write(file.c_str(), std::to_string(limit.bytes), "huge pages of " + limit.page_size);
  }
}

void apply_v1(const Directory& directory, const Limits& limits) {
  apply(directory, limits, ".limit_in_bytes");
}
void apply_v2(const Directory& directory, const Limits& limits) {
  apply(directory, limits, ".max");
}

}  // namespace

const Controller kHugetlb{"hugetlb", "hugetlb", "huge pages", wanted, apply_v1, apply_v2};

}  // namespace trine::cgroups
