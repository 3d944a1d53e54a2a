// Source: Linux Documentation/admin-guide/cgroup-v1/blkio-controller.rst and
// Documentation/block/bfq-iosched.rst.
#include <string>

#include "../controllers.h"
#include "../figures.h"

namespace trine::cgroups::v1 {
namespace {

/// The files take one device a write.
void write_devices(const Directory& directory, const char* file, const std::vector<IoDeviceLimit>& limits,
                   std::string_view name) {
  for (const auto& limit : limits) {
    directory.write(
        file,
        std::to_string(limit.major) + ":" + std::to_string(limit.minor) + " " + std::to_string(limit.value),
        name);
  }
}

/// A group's own processes, against the groups below it. CFQ had them, and left with Linux 5.0.
void apply_leaf_weights(const Directory& directory, const Limits& limits) {
  constexpr std::string_view kName = "block I/O leaf weight";
  if (limits.io_leaf_weight)
    directory.write("blkio.leaf_weight", std::to_string(*limits.io_leaf_weight), kName);
  write_devices(directory, "blkio.leaf_weight_device", limits.io_leaf_weight_device, kName);
}

}  // namespace

void apply_blkio(const Directory& directory, const Limits& limits) {
  // Kernels before 5.0 had weights in CFQ's files, later ones have them in BFQ's.
  const bool cfq = (limits.io_weight || !limits.io_weight_device.empty()) && directory.has("blkio.weight");
  if (limits.io_weight) {
    directory.write(cfq ? "blkio.weight" : "blkio.bfq.weight", std::to_string(*limits.io_weight),
                    "block I/O weight");
  }
  write_devices(directory, cfq ? "blkio.weight_device" : "blkio.bfq.weight_device", limits.io_weight_device,
                "block I/O weight");
  apply_leaf_weights(directory, limits);
  constexpr std::string_view kRate = "block I/O rate";
  write_devices(directory, "blkio.throttle.read_bps_device", limits.io_read_bps, kRate);
  write_devices(directory, "blkio.throttle.write_bps_device", limits.io_write_bps, kRate);
  write_devices(directory, "blkio.throttle.read_iops_device", limits.io_read_iops, kRate);
  write_devices(directory, "blkio.throttle.write_iops_device", limits.io_write_iops, kRate);
}

void detail_blkio(const Directory& directory, Details& details) {
  const auto read = [&directory](const std::string& file) {
    return parse_blkio(directory.read(file.c_str()).value_or(""));
  };
  // BFQ and CFQ count what they schedule; what goes round them is counted by the throttle alone.
  for (const char* const prefix : {"blkio.bfq.", "blkio.", "blkio.throttle."}) {
    details.io.bytes = read(std::string(prefix) + "io_service_bytes_recursive");
    details.io.operations = read(std::string(prefix) + "io_serviced_recursive");
    if (!details.io.bytes.empty())
      break;
  }
  details.io.queued = read("blkio.io_queued_recursive");
  details.io.service_time = read("blkio.io_service_time_recursive");
  details.io.wait_time = read("blkio.io_wait_time_recursive");
  details.io.merged = read("blkio.io_merged_recursive");
  details.io.time = read("blkio.time_recursive");
  details.io.sectors = read("blkio.sectors_recursive");
}

}  // namespace trine::cgroups::v1
