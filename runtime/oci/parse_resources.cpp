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
  // "kernel" is passed over: no kernel since 5.16 takes it. So is "useHierarchy", which cannot be otherwise.
  Memory memory;
  reader.read("limit", memory.limit);
  reader.read("reservation", memory.reservation);
  reader.read("swap", memory.swap);
  reader.read("swappiness", memory.swappiness);
  reader.read("kernelTCP", memory.kernel_tcp);
  reader.read("disableOOMKiller", memory.disable_oom_killer);
  reader.read("checkBeforeUpdate", memory.check_before_update);
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

void read_weight(const Reader& reader, const char* name, std::optional<std::uint64_t>& into) {
  std::optional<std::uint16_t> weight;
  reader.read(name, weight);
  if (weight)
    into = *weight;
}

ThrottleDevice read_throttle(const Reader& reader) {
  return {.major = reader.required<std::int64_t>("major"),
          .minor = reader.required<std::int64_t>("minor"),
          .rate = reader.required<std::uint64_t>("rate")};
}

WeightDevice read_weight_device(const Reader& reader) {
  WeightDevice device{.major = reader.required<std::int64_t>("major"),
                      .minor = reader.required<std::int64_t>("minor")};
  read_weight(reader, "weight", device.weight);
  read_weight(reader, "leafWeight", device.leaf_weight);
  if (!device.weight && !device.leaf_weight)
    reader.fail("has neither weight nor leafWeight");
  return device;
}

BlockIo read_block_io(const Reader& reader) {
  BlockIo io;
  read_weight(reader, "weight", io.weight);
  read_weight(reader, "leafWeight", io.leaf_weight);
  reader.read_each("weightDevice", io.weight_device, read_weight_device);
  reader.read_each("throttleReadBpsDevice", io.read_bps, read_throttle);
  reader.read_each("throttleWriteBpsDevice", io.write_bps, read_throttle);
  reader.read_each("throttleReadIOPSDevice", io.read_iops, read_throttle);
  reader.read_each("throttleWriteIOPSDevice", io.write_iops, read_throttle);
  return io;
}

Rdma read_rdma(const Reader& reader) {
  Rdma rdma;
  reader.read("hcaHandles", rdma.hca_handles);
  reader.read("hcaObjects", rdma.hca_objects);
  if (!rdma.hca_handles && !rdma.hca_objects)
    reader.fail("has neither hcaHandles nor hcaObjects");
  return rdma;
}

Network read_network(const Reader& reader) {
  Network network;
  reader.read("classID", network.class_id);
  reader.read_each("priorities", network.priorities, [](const Reader& entry) {
    return NetworkPriority{.name = entry.required<std::string>("name"),
                           .priority = entry.required<std::uint32_t>("priority")};
  });
  return network;
}

}  // namespace

Resources read_resources(const Reader& reader) {
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
  reader.read_map("rdma", resources.rdma, read_rdma);
  if (const auto network = reader.field("network"))
    resources.network = read_network(*network);
  reader.read("unified", resources.unified);
  return resources;
}

}  // namespace trine::runtime::oci
