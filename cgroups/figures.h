#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cgroups/details.h"
#include "directory.h"

/// The forms that figures have in control files. A line of another form is passed over.
namespace trine::cgroups {

inline constexpr std::uint64_t kNanosecondsPerMicrosecond = 1'000;

/// Lines "key number".
std::map<std::string, std::uint64_t> parse_keyed(std::string_view text);

/// "12 34 56": numbers with blanks between them, up to the first that is none.
std::vector<std::uint64_t> parse_numbers(std::string_view text);

/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same with "full".
Pressure parse_pressure(std::string_view text);

/// v1: "8:0 Read 4096", "8:0 4096"; the sum over all devices ("Total 4096") is left out.
std::vector<IoEntry> parse_blkio(std::string_view text);

/// v2: "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0".
void parse_io_stat(std::string_view text, IoDetails& io);

/// "mlx5_0 hca_handle=2 hca_object=max"
std::map<std::string, RdmaLimit> parse_rdma(std::string_view text);

/// The sizes in names like "hugetlb.2MB.max".
std::vector<std::string> hugepage_sizes(const std::vector<std::string>& files);

/// The fields of `usage` that have a file.
struct UsageFiles {
  std::string current, peak, failures, limit;
};
MemoryUsage read_usage(const Directory& directory, const UsageFiles& files);

}  // namespace trine::cgroups
