#include "internal.h"

namespace trine::cgroups {
namespace {

bool wanted(const Limits& limits) {
  return limits.io_weight || !limits.io_weight_device.empty() || !limits.io_read_bps.empty() ||
         !limits.io_write_bps.empty() || !limits.io_read_iops.empty() || !limits.io_write_iops.empty();
}

std::string device(const IoDeviceLimit& limit) {
  return std::to_string(limit.major) + ":" + std::to_string(limit.minor);
}

/// The weight's file depends on the scheduler: BFQ has its own.
void write_weight(const Directory& directory, const char* bfq, const char* plain, const std::string& value) {
  directory.write(directory.has(bfq) ? bfq : plain, value, "the I/O weight");
}

void apply_v1(const Directory& directory, const Limits& limits) {
  if (limits.io_weight) {
    write_weight(directory, "blkio.bfq.weight", "blkio.weight", std::to_string(*limits.io_weight));
  }
  for (const auto& limit : limits.io_weight_device) {
    write_weight(directory, "blkio.bfq.weight_device", "blkio.weight_device",
                 device(limit) + " " + std::to_string(limit.value));
  }
  const auto write_all = [&](const std::vector<IoDeviceLimit>& entries, const char* file) {
    for (const auto& limit : entries) {
      directory.write(file, device(limit) + " " + std::to_string(limit.value),
                      "the I/O rate of " + device(limit));
    }
  };
  write_all(limits.io_read_bps, "blkio.throttle.read_bps_device");
  write_all(limits.io_write_bps, "blkio.throttle.write_bps_device");
  write_all(limits.io_read_iops, "blkio.throttle.read_iops_device");
  write_all(limits.io_write_iops, "blkio.throttle.write_iops_device");
}

/// 10..1000 onto 1..10000. Source: OCI runtime-spec, as runc and crun convert.
std::uint64_t io_weight(std::uint64_t blkio_weight) {
  return blkio_weight < 10 ? 1 : 1 + (blkio_weight - 10) * 9999 / 990;
}

void apply_v2(const Directory& directory, const Limits& limits) {
  if (limits.io_weight) {
    if (directory.has("io.bfq.weight")) {
      directory.write("io.bfq.weight", std::to_string(*limits.io_weight), "the I/O weight");
    } else {
      directory.write("io.weight", "default " + std::to_string(io_weight(*limits.io_weight)),
                      "the I/O weight");
    }
  }
  for (const auto& limit : limits.io_weight_device) {
    directory.write("io.weight", device(limit) + " " + std::to_string(io_weight(limit.value)),
                    "the I/O weight of " + device(limit));
  }
  const auto write_all = [&](const std::vector<IoDeviceLimit>& entries, const char* key) {
    for (const auto& limit : entries) {
      directory.write("io.max", device(limit) + " " + key + "=" + std::to_string(limit.value),
                      "the I/O rate of " + device(limit));
    }
  };
  write_all(limits.io_read_bps, "rbps");
  write_all(limits.io_write_bps, "wbps");
  write_all(limits.io_read_iops, "riops");
  write_all(limits.io_write_iops, "wiops");
}

}  // namespace

const Controller kIo{"io", "blkio", "I/O", wanted, apply_v1, apply_v2};

}  // namespace trine::cgroups
