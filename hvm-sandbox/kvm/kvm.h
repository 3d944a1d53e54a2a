#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "memory/guest_memory.h"

/// KVM's three kinds of descriptor. Every call throws base::Error naming what could not be done.
/// Source: Linux Documentation/virt/kvm/api.rst.
namespace trine::hvm {

/// ioctl() with EINTR handled; throws base::Error{"cannot " + what}.
int kvm_call(int fd, unsigned long request, const void* argument, const char* what);
int kvm_call(int fd, unsigned long request, unsigned long argument, const char* what);

/// Why the host has nothing where the guest's memory is.
inline constexpr const char* kMemoryGone =
    "a file that it reads as a mapped disk was cut short, or the host has no memory left";

/// A processor of the guest. It belongs to the thread that runs it.
class Vcpu {
 public:
  Vcpu(base::UniqueFd fd, std::size_t run_bytes);
  Vcpu(Vcpu&& other) noexcept;
  Vcpu& operator=(Vcpu&&) = delete;
  ~Vcpu();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] kvm_run& run() const { return *run_; }
  /// What an exit for an I/O port moves: the bytes are in the shared structure.
  [[nodiscard]] std::span<std::byte> io_data() const;

  /// Lets the guest run until it needs the monitor. False: a signal came instead. Throws base::Error, where
  /// it is the guest's memory: kMemoryGone.
  [[nodiscard]] bool enter() const;
  /// From another thread or a signal handler: the next enter() returns at once.
  void interrupt() const noexcept;
  /// On its own thread: enter() enters again. What interrupts for a reason sets that first, and the thread
  /// looks for one after this.
  void forget_interrupt() const noexcept;
  /// Tells the guest's clock that the guest stood still, so that its watchdogs do not take it for a hang. A
  /// guest without that clock takes no notice.
  void tell_stopped() const noexcept;

 private:
  base::UniqueFd fd_;
  kvm_run* run_ = nullptr;
  std::size_t run_bytes_ = 0;
};

/// A machine.
class Vm {
 public:
  Vm(base::UniqueFd fd, std::size_t run_bytes) : fd_(std::move(fd)), run_bytes_(run_bytes) {}

  [[nodiscard]] int fd() const { return fd_.get(); }
  void set_memory(const GuestMemory& memory) const;
  /// The guest reads `bytes`, whole pages, at `address`; what it writes there leaves the guest.
  void show_read_only(std::uint64_t address, std::span<std::byte> bytes) const;
  [[nodiscard]] Vcpu make_vcpu(unsigned id) const;
  /// Interrupts the guest by line `line`, which the guest took for one that is triggered by its edge. Never
  /// by two threads at once: between the edges of the first, the second's is lost.
  void interrupt(std::uint32_t line) const noexcept;
  /// A 4-byte write of `value` to `address` by the guest counts in `event` instead of leaving the guest.
  void connect_write(int event, std::uint64_t address, std::uint32_t value) const;

 private:
  base::UniqueFd fd_;
  std::size_t run_bytes_;
};

class Kvm {
 public:
  /// Opens /dev/kvm, or takes `opened` if it is a descriptor. Throws base::Error with the cure when there is
  /// none, it may not be opened, or KVM lacks what the monitor needs.
  explicit Kvm(base::UniqueFd opened = {});

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Vm make_vm() const;
  /// KVM_CHECK_EXTENSION.
  [[nodiscard]] int extension(int capability) const;

 private:
  base::UniqueFd fd_;
};

}  // namespace trine::hvm
