#pragma once

#include <cstdint>
#include <vector>

#include "memory/guest_memory.h"

/// Where things lie in the guest's address space. Memory below 640 KiB and from 1 MiB on is the guest's; what
/// lies between (in real machines: firmware) holds our tables and is reserved in the memory map.
namespace trine::hvm::x86 {

constexpr std::uint64_t kGdt = 0x500;
constexpr std::uint64_t kStartInfo = 0x6000;
constexpr std::uint64_t kModuleList = 0x6100;
constexpr std::uint64_t kMemoryMap = 0x6200;
constexpr std::uint64_t kCommandLine = 0x20000;
constexpr std::uint64_t kMostCommandLine = 2048;  ///< COMMAND_LINE_SIZE of Linux on x86
constexpr std::uint64_t kLowMemoryEnd = 0x9fc00;
constexpr std::uint64_t kTables = 0xa0000;  ///< ACPI tables
constexpr std::uint64_t kRsdp = 0xe0000;    ///< where a kernel without PVH would look for it as well
constexpr std::uint64_t kHighMemory = 0x100000;
constexpr std::uint64_t kGap = 0xc0000000;  ///< 3 GiB: no memory from here to 4 GiB
constexpr std::uint64_t kGapEnd = 0x100000000;

constexpr std::uint64_t kDevices = 0xd0000000;  ///< a page a virtio device
constexpr std::uint32_t kFirstDeviceInterrupt = 5;
constexpr unsigned kDeviceInterrupts = 19;  ///< 5 to 23 of the one I/O APIC
constexpr unsigned kMostDevices = 64;

/// Devices share what there is.
constexpr std::uint32_t device_interrupt(unsigned index) {
  return kFirstDeviceInterrupt + (index % kDeviceInterrupts);
}

constexpr std::uint64_t kIoApic = 0xfec00000;
constexpr std::uint64_t kLocalApic = 0xfee00000;
constexpr std::uint64_t kTss = 0xfffbd000;  ///< three pages that KVM needs on Intel

// Ports of power management, as the FADT names them.
constexpr std::uint16_t kSleepControl = 0x600;
constexpr std::uint16_t kSleepStatus = 0x601;
constexpr std::uint16_t kResetPort = 0x602;
constexpr std::uint8_t kResetValue = 0x52;
constexpr std::uint8_t kSleepTypeOff = 5;

/// Where mapped disks begin, and what each begins at a multiple of: a section of Linux's memory.
constexpr std::uint64_t kDiskUnit = 128 << 20;
inline std::uint64_t mapped_disks(std::uint64_t memory_bytes) {
  const std::uint64_t above = memory_bytes <= kGap ? 0 : memory_bytes - kGap;
  return kGapEnd + ((above + kDiskUnit - 1) / kDiskUnit * kDiskUnit);
}

constexpr unsigned kMostCpus = 64;

/// `bytes` of memory, around the gap.
inline std::vector<MemoryRange> memory_ranges(std::uint64_t bytes) {
  if (bytes <= kGap)
    return {{.guest_address = 0, .size = bytes, .offset = 0}};
  return {{.guest_address = 0, .size = kGap, .offset = 0},
          {.guest_address = kGapEnd, .size = bytes - kGap, .offset = kGap}};
}

}  // namespace trine::hvm::x86
