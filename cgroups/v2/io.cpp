// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "IO", and Documentation/block/bfq-iosched.rst.
#include <map>
#include <string>
#include <utility>

#include "../controllers.h"
#include "../convert.h"
#include "../figures.h"

namespace trine::cgroups::v2 {
namespace {

using DeviceNumber = std::pair<std::uint32_t, std::uint32_t>;

std::string text_of(const DeviceNumber& device) {
  return std::to_string(device.first) + ":" + std::to_string(device.second);
}

/// BFQ's weights have v1's range; those of io.cost have one of their own.
void apply_weights(const Directory& directory, const Limits& limits) {
  if (!limits.io_weight && limits.io_weight_device.empty())
    return;
  const bool bfq = directory.has("io.bfq.weight");
  const char* const file = bfq ? "io.bfq.weight" : "io.weight";
  const auto converted = [bfq](std::uint64_t weight) {
    return std::to_string(bfq ? weight : io_weight_of_blkio(weight));
  };
  if (limits.io_weight)
    directory.write(file, "default " + converted(*limits.io_weight), "block I/O weight");
  for (const auto& device : limits.io_weight_device) {
    directory.write(file, text_of({device.major, device.minor}) + " " + converted(device.value),
                    "block I/O weight");
  }
}

}  // namespace

void apply_io(const Directory& directory, const Limits& limits) {
  if (limits.io_leaf_weight || !limits.io_leaf_weight_device.empty()) {
    throw_v1_only(directory, "block I/O leaf weight",
                  "leave it out: a group of v2 has either processes or groups below it to share with");
  }
  apply_weights(directory, limits);
  // One line a device holds all its rates.
  std::map<DeviceNumber, std::string> rates;
  const auto collect = [&rates](const char* key, const std::vector<IoDeviceLimit>& entries) {
    for (const auto& entry : entries) {
      // v1's 0 takes the limit away; v2 has a word for that.
      const auto value = entry.value == 0 ? "max" : std::to_string(entry.value);
      rates[{entry.major, entry.minor}] += std::string(" ") + key + "=" + value;
    }
  };
  collect("rbps", limits.io_read_bps);
  collect("wbps", limits.io_write_bps);
  collect("riops", limits.io_read_iops);
  collect("wiops", limits.io_write_iops);
  for (const auto& [device, values] : rates) {
    directory.write("io.max", text_of(device) + values, "block I/O rate");
  }
}

void detail_io(const Directory& directory, Details& details) {
  parse_io_stat(directory.read("io.stat").value_or(""), details.io);
}

}  // namespace trine::cgroups::v2
