#include "monitor/probe.h"

#include <array>
#include <chrono>
#include <cstdint>

#include "arch/x86_64/cpu.h"
#include "base/error.h"
#include "kvm/kvm.h"
#include "memory/guest_memory.h"

namespace trine::hvm {
namespace {

constexpr std::uint64_t kEntry = 0x1000;
constexpr std::uint64_t kMemory = 64 << 10;
constexpr std::uint32_t kRounds = 20'000;
constexpr unsigned kInstructionsInRound = 2;

/// mov $rounds, %ecx; dec %ecx; jnz back to dec; hlt
std::array<std::uint8_t, 9> payload(std::uint32_t rounds) {
  return {0xb9,
          static_cast<std::uint8_t>(rounds),
          static_cast<std::uint8_t>(rounds >> 8U),
          static_cast<std::uint8_t>(rounds >> 16U),
          static_cast<std::uint8_t>(rounds >> 24U),
          0x49,
          0x75,
          0xfd,
          0xf4};
}

/// Time for the payload, in nanoseconds.
double run_once(const Vcpu& vcpu, const GuestMemory& memory, std::uint32_t rounds) {
  const auto code = payload(rounds);
  memory.slice(kEntry, code.size())->write(0, std::as_bytes(std::span(code)));
  x86::set_boot_state(vcpu, kEntry);
  const auto begin = std::chrono::steady_clock::now();
  while (!vcpu.enter()) {
  }
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  // Without an interrupt controller, a guest that halts comes back to the monitor.
  if (vcpu.run().exit_reason != KVM_EXIT_HLT) {
    throw base::Error("the processor does not run a guest's code: it stopped for reason " +
                      std::to_string(vcpu.run().exit_reason));
  }
  return time.count();
}

}  // namespace

double probe_guest_code() {
  const Kvm kvm;
  const Vm vm = kvm.make_vm();
  const GuestMemory memory({{.guest_address = 0, .size = kMemory, .offset = 0}});
  vm.set_memory(memory);
  const Vcpu vcpu = vm.make_vcpu(0);
  x86::CpuModel(kvm, 1).apply(vcpu, 0);
  (void)run_once(vcpu, memory, 1);  // the first entry pays for the machine's page tables
  return run_once(vcpu, memory, kRounds) / (kRounds * kInstructionsInRound);
}

}  // namespace trine::hvm
