#include "arch/x86_64/boot_params.h"

#include <array>
#include <vector>

#include "arch/x86_64/layout.h"
#include "base/error.h"

namespace trine::hvm::x86 {
namespace {

struct StartInfo {
  std::uint32_t magic = 0x336ec578;  // "xEn3", its first letter's top bit set
  std::uint32_t version = 1;
  std::uint32_t flags = 0;
  std::uint32_t module_count = 0;
  std::uint64_t modules = 0;
  std::uint64_t command_line = 0;
  std::uint64_t rsdp = 0;
  std::uint64_t memory_map = 0;
  std::uint32_t memory_map_entries = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(StartInfo) == 56);

struct Module {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint64_t command_line = 0;
  std::uint64_t reserved = 0;
};

enum MemoryType : std::uint32_t { kUsable = 1, kReserved = 2 };

struct MemoryMapEntry {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t type = kUsable;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(MemoryMapEntry) == 24);

void put(const GuestMemory& memory, std::uint64_t address, std::span<const std::byte> bytes) {
  const auto place = memory.slice(address, bytes.size());
  if (!place)
    throw base::Error("the guest's memory is too small for the monitor's own tables", 0,
                      "give it more: --memory");
  place->write(0, bytes);
}

/// Null, 32-bit code, data, and a task state segment: what the boot state's selectors name.
constexpr std::array<std::uint64_t, 4> kDescriptors{0, 0x00cf9b000000ffff, 0x00cf93000000ffff,
                                                    0x00008b0000000067};

template <class T>
void put_object(const GuestMemory& memory, std::uint64_t address, const T& object) {
  put(memory, address, std::as_bytes(std::span(&object, 1)));
}

std::vector<MemoryMapEntry> memory_map(const GuestMemory& memory) {
  std::vector<MemoryMapEntry> map{
      {.address = 0, .size = kLowMemoryEnd},
      {.address = kLowMemoryEnd, .size = kHighMemory - kLowMemoryEnd, .type = kReserved}};
  for (const MemoryRange& range : memory.ranges()) {
    const std::uint64_t begin = std::max(range.guest_address, kHighMemory);
    const std::uint64_t end = range.guest_address + range.size;
    if (begin < end)
      map.push_back({.address = begin, .size = end - begin});
  }
  return map;
}

}  // namespace

void write_boot_params(const GuestMemory& memory, const BootFacts& facts) {
  if (facts.command_line.size() >= kMostCommandLine) {
    throw base::Error("the kernel's command line has " + std::to_string(facts.command_line.size()) +
                      " characters, and it takes at most " + std::to_string(kMostCommandLine - 1));
  }
  const std::vector<MemoryMapEntry> map = memory_map(memory);
  put(memory, kGdt, std::as_bytes(std::span(kDescriptors)));
  put(memory, kMemoryMap, std::as_bytes(std::span(map)));
  put(memory, kCommandLine,
      std::as_bytes(std::span(facts.command_line.c_str(), facts.command_line.size() + 1)));
  StartInfo info{.command_line = kCommandLine,
                 .rsdp = kRsdp,
                 .memory_map = kMemoryMap,
                 .memory_map_entries = static_cast<std::uint32_t>(map.size())};
  if (facts.initramfs_bytes > 0) {
    put_object(memory, kModuleList, Module{.address = facts.initramfs, .size = facts.initramfs_bytes});
    info.module_count = 1;
    info.modules = kModuleList;
  }
  put_object(memory, kStartInfo, info);
}

}  // namespace trine::hvm::x86
