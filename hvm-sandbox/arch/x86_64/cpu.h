#pragma once

#include <cstdint>
#include <vector>

#include "kvm/kvm.h"

namespace trine::hvm::x86 {

/// What the processors of a guest tell of themselves by CPUID: what KVM supports, made fit for each vCPU.
/// Asked for once a machine. Source: KVM_GET_SUPPORTED_CPUID, Intel SDM volume 2A, AMD APM volume 3.
class CpuModel {
 public:
  CpuModel(const Kvm& kvm, unsigned cpus);
  /// For the vCPU with this APIC id, before any of its registers is set.
  void apply(const Vcpu& vcpu, unsigned id) const;

 private:
  std::vector<kvm_cpuid_entry2> entries_;
  unsigned cpus_;
};

/// Makes interrupt controllers and timer of a machine; before its vCPUs.
void prepare_machine(const Vm& vm);

/// Brings a vCPU into the state in which PVH enters a kernel: 32-bit protected mode, flat segments, no
/// paging. The others wait for the first one's wake-up call and need only their CPUID and local APIC. Source:
/// Xen docs/misc/pvh.pandoc, "CPU state".
void set_boot_state(const Vcpu& vcpu, std::uint64_t entry);
/// Local APIC lines as firmware leaves them.
void set_local_apic(const Vcpu& vcpu);

}  // namespace trine::hvm::x86
