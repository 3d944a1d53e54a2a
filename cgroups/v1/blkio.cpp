// Source: Linux Documentation/admin-guide/cgroup-v1/blkio-controller.rst and
// Documentation/block/bfq-iosched.rst.
#include <string>

#include "../controllers.h"

namespace trine::cgroups::v1 {
namespace {

void apply_throttle(const Directory& directory, const char* file, const std::vector<IoDeviceLimit>& limits) {
  for (const auto& limit : limits) {
    directory.write(
        file,
        std::to_string(limit.major) + ":" + std::to_string(limit.minor) + " " + std::to_string(limit.value),
        "block I/O rate");
  }
}

}  // namespace

void apply_blkio(const Directory& directory, const Limits& limits) {
  // Kernels before 5.0 had weights in CFQ's files, later ones have them in BFQ's.
  const bool cfq = (limits.io_weight || !limits.io_weight_device.empty()) && directory.has("blkio.weight");
  if (limits.io_weight) {
    directory.write(cfq ? "blkio.weight" : "blkio.bfq.weight", std::to_string(*limits.io_weight),
                    "block I/O weight");
  }
  for (const auto& device : limits.io_weight_device) {
    directory.write(cfq ? "blkio.weight_device" : "blkio.bfq.weight_device",
                    std::to_string(device.major) + ":" + std::to_string(device.minor) + " " +
                        std::to_string(device.value),
                    "block I/O weight");
  }
  apply_throttle(directory, "blkio.throttle.read_bps_device", limits.io_read_bps);
  apply_throttle(directory, "blkio.throttle.write_bps_device", limits.io_write_bps);
  apply_throttle(directory, "blkio.throttle.read_iops_device", limits.io_read_iops);
  apply_throttle(directory, "blkio.throttle.write_iops_device", limits.io_write_iops);
}

}  // namespace trine::cgroups::v1
