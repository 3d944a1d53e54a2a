#include "arch/x86_64/cpu.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "arch/x86_64/layout.h"
#include "base/error.h"

namespace trine::hvm::x86 {
namespace {

constexpr unsigned kMostCpuidEntries = 256;

// Source: Intel SDM volume 3A, 3.4.5 and 2.5.
constexpr std::uint64_t kProtectedMode = 1;
constexpr std::uint64_t kExtensionType = 1U << 4U;
constexpr std::uint64_t kReservedFlag = 2;
constexpr std::uint8_t kCodeSegment = 0xb;
constexpr std::uint8_t kDataSegment = 0x3;
constexpr std::uint8_t kBusyTss = 0xb;

constexpr std::uint32_t kLapicLint0 = 0x350;
constexpr std::uint32_t kLapicLint1 = 0x360;
constexpr std::uint32_t kDeliverExternal = 0x700;
constexpr std::uint32_t kDeliverNmi = 0x400;

constexpr std::uint32_t kIa32MiscEnable = 0x1a0;
constexpr std::uint64_t kFastStrings = 1;

kvm_segment segment(std::uint16_t selector, std::uint8_t type, bool flat) {
  return {.base = 0,
          .limit = flat ? 0xffffffffU : 0x67U,
          .selector = selector,
          .type = type,
          .present = 1,
          .db = static_cast<std::uint8_t>(flat ? 1 : 0),
          .s = static_cast<std::uint8_t>(flat ? 1 : 0),
          .g = static_cast<std::uint8_t>(flat ? 1 : 0)};
}

// The kernel's headers declare the lists below with an empty structure in front of their entries, which has
// no size in C and one in C++: offsets and the numbers of the calls come out wrong. So they are declared
// here.
struct ListHeader {
  std::uint32_t count = 0;
  std::uint32_t padding = 0;
};
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, ListHeader);
constexpr unsigned long kSetCpuid = _IOW(KVMIO, 0x90, ListHeader);
constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, ListHeader);

using CpuidEntries = std::array<kvm_cpuid_entry2, kMostCpuidEntries>;

struct CpuidList {
  ListHeader header;
  CpuidEntries entries{};
};
static_assert(offsetof(CpuidList, entries) == sizeof(ListHeader));

struct OneMsr {
  ListHeader header{.count = 1};
  kvm_msr_entry entry{};
};

unsigned bits_for(unsigned count) {
  unsigned bits = 0;
  while ((1U << bits) < count)
    ++bits;
  return bits;
}

}  // namespace

CpuModel::CpuModel(const Kvm& kvm, unsigned cpus) : cpus_(cpus) {
  CpuidList list{.header = {.count = kMostCpuidEntries}};
  kvm_call(kvm.fd(), kGetSupportedCpuid, &list, "ask what the processor can do");
  entries_.assign(list.entries.begin(),
                  list.entries.begin() + std::min<std::size_t>(list.header.count, list.entries.size()));
}

void CpuModel::apply(const Vcpu& vcpu, unsigned id) const {
  CpuidList list{.header = {.count = static_cast<std::uint32_t>(entries_.size())}};
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    kvm_cpuid_entry2 entry = entries_[i];
    switch (entry.function) {
      case 0x1:
        // APIC id, threads in the package, cache line of 64 bytes for CLFLUSH.
        entry.ebx = (entry.ebx & 0xffU) | (8U << 8U) | (cpus_ << 16U) | (id << 24U);
        entry.ecx |= (1U << 24U) | (1U << 31U);  // TSC deadline (KVM's own timer), hypervisor
        if (cpus_ > 1)
          entry.edx |= 1U << 28U;
        break;
      case 0x4:
        // Each processor has its caches for itself; all are cores of one package.
        if ((entry.eax & 0x1fU) != 0)
          entry.eax = (entry.eax & 0x3fffU) | ((cpus_ - 1) << 26U);
        break;
      case 0xb:
      case 0x1f:
        entry.edx = id;
        entry.ecx = entry.index;
        entry.eax = entry.ebx = 0;
        if (entry.index == 0) {  // threads: one a core
          entry.ebx = 1;
          entry.ecx |= 1U << 8U;
        } else if (entry.index == 1) {  // cores: all
          entry.eax = bits_for(cpus_);
          entry.ebx = cpus_;
          entry.ecx |= 2U << 8U;
        }
        break;
      case 0x80000008:
        entry.ecx = (bits_for(cpus_) << 12U) | (cpus_ - 1);
        break;
      case 0x8000001e:
        entry.eax = id;
        entry.ebx = id;  // one thread a core
        entry.ecx = 0;
        break;
      default:
        break;
    }
    list.entries[i] = entry;
  }
  kvm_call(vcpu.fd(), kSetCpuid, &list, "set what a vCPU can do");
}

void prepare_machine(const Vm& vm) {
  kvm_call(vm.fd(), KVM_SET_TSS_ADDR, kTss, "reserve KVM's pages");
  kvm_call(vm.fd(), KVM_CREATE_IRQCHIP, 0UL, "make the interrupt controllers");
  // A kernel that finds neither kvm-clock nor a known TSC frequency measures against this.
  const kvm_pit_config pit{.flags = KVM_PIT_SPEAKER_DUMMY};
  kvm_call(vm.fd(), KVM_CREATE_PIT2, &pit, "make the timer");
}

void set_boot_state(const Vcpu& vcpu, std::uint64_t entry) {
  kvm_sregs special{};
  kvm_call(vcpu.fd(), KVM_GET_SREGS, &special, "read a vCPU's segments");
  special.cs = segment(0x8, kCodeSegment, true);
  special.ds = special.es = special.fs = special.gs = special.ss = segment(0x10, kDataSegment, true);
  special.tr = segment(0x18, kBusyTss, false);
  special.gdt = {.base = kGdt, .limit = (4 * 8) - 1};
  special.idt = {};
  special.cr0 = kProtectedMode | kExtensionType;
  special.cr4 = 0;
  special.efer = 0;
  kvm_call(vcpu.fd(), KVM_SET_SREGS, &special, "set a vCPU's segments");

  const kvm_regs registers{.rbx = kStartInfo, .rip = entry, .rflags = kReservedFlag};
  kvm_call(vcpu.fd(), KVM_SET_REGS, &registers, "set a vCPU's registers");

  kvm_fpu fpu{.fcw = 0x37f, .mxcsr = 0x1f80};
  kvm_call(vcpu.fd(), KVM_SET_FPU, &fpu, "set a vCPU's floating point state");

  const OneMsr fast{.entry = {.index = kIa32MiscEnable, .data = kFastStrings}};
  // Not every host has the register; a guest that asks then gets the host's answer.
  (void)kvm_call(vcpu.fd(), kSetMsrs, &fast, "set a vCPU's model-specific registers");
}

void set_local_apic(const Vcpu& vcpu) {
  kvm_lapic_state state{};
  kvm_call(vcpu.fd(), KVM_GET_LAPIC, &state, "read a local APIC");
  const auto set = [&](std::uint32_t offset, std::uint32_t mode) {
    std::uint32_t value = 0;
    std::memcpy(&value, state.regs + offset, sizeof value);
    value = (value & ~0x700U) | mode;
    std::memcpy(state.regs + offset, &value, sizeof value);
  };
  set(kLapicLint0, kDeliverExternal);
  set(kLapicLint1, kDeliverNmi);
  kvm_call(vcpu.fd(), KVM_SET_LAPIC, &state, "set a local APIC");
}

}  // namespace trine::hvm::x86
