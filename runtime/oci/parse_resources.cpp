#include "parse.h"

namespace trine::runtime::oci {
namespace {

DeviceRule read_device_rule(const Reader& reader) {
  DeviceRule rule{.allow = reader.required<bool>("allow")};
  reader.read("type", rule.type);
  reader.read("major", rule.major);
  reader.read("minor", rule.minor);
  reader.read("access", rule.access);
  return rule;
}

Memory read_memory(const Reader& reader) {
  for (const char* name : {"kernel", "kernelTCP"}) {
    std::optional<std::int64_t> limit;
    reader.read(name, limit);
    if (limit && *limit != 0)  // Docker's update writes 0
      reader.fail(std::string("has ") + name + ", which the kernel no longer limits");
  }
  Memory memory;
  reader.read("limit", memory.limit);
  reader.read("reservation", memory.reservation);
  reader.read("swap", memory.swap);
  reader.read("swappiness", memory.swappiness);
  reader.read("disableOOMKiller", memory.disable_oom_killer);
  return memory;
}

Cpu read_cpu(const Reader& reader) {
  Cpu cpu;
  reader.read("shares", cpu.shares);
  reader.read("quota", cpu.quota);
  reader.read("burst", cpu.burst);
  reader.read("period", cpu.period);
  reader.read("realtimeRuntime", cpu.realtime_runtime);
  reader.read("realtimePeriod", cpu.realtime_period);
  reader.read("cpus", cpu.cpus);
  reader.read("mems", cpu.mems);
  reader.read("idle", cpu.idle);
  return cpu;
}

BlockIo read_block_io(const Reader& reader) {
  const auto device = [](const char* value) {
    return [value](const Reader& entry) {
      return ThrottleDevice{.major = entry.required<std::int64_t>("major"),
                            .minor = entry.required<std::int64_t>("minor"),
                            .rate = entry.required<std::uint64_t>(value)};
    };
  };
  BlockIo io;
  reader.read("weight", io.weight);
  reader.read_each("weightDevice", io.weight_device, device("weight"));
  reader.read_each("throttleReadBpsDevice", io.read_bps, device("rate"));
  reader.read_each("throttleWriteBpsDevice", io.write_bps, device("rate"));
  reader.read_each("throttleReadIOPSDevice", io.read_iops, device("rate"));
  reader.read_each("throttleWriteIOPSDevice", io.write_iops, device("rate"));
  return io;
}

}  // namespace

Resources read_resources(const Reader& reader) {
  for (const char* name : {"rdma", "network"})
    refuse_unsupported(reader, name);
  Resources resources;
  reader.read_each("devices", resources.devices, read_device_rule);
  if (const auto memory = reader.field("memory"))
    resources.memory = read_memory(*memory);
  if (const auto cpu = reader.field("cpu"))
    resources.cpu = read_cpu(*cpu);
  if (const auto pids = reader.field("pids"))
    pids->read("limit", resources.pids_limit);
  if (const auto io = reader.field("blockIO"))
    resources.block_io = read_block_io(*io);
  reader.read_each("hugepageLimits", resources.hugepage_limits, [](const Reader& entry) {
    return HugepageLimit{.page_size = entry.required<std::string>("pageSize"),
                         .limit = entry.required<std::uint64_t>("limit")};
  });
  reader.read("unified", resources.unified);
  return resources;
}

}  // namespace trine::runtime::oci
