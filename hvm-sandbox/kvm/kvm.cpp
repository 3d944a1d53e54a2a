#include "kvm/kvm.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "hvm-sandbox/kvm_device.h"

namespace trine::hvm {
namespace {

constexpr const char* kDevice = "/dev/kvm";

struct Need {
  int capability;
  const char* what;
};

constexpr std::array kNeeds{
    Need{KVM_CAP_IRQCHIP, "an interrupt controller"},
    Need{KVM_CAP_USER_MEMORY, "memory of the monitor"},
    Need{KVM_CAP_IOEVENTFD, "ioeventfd"},
    Need{KVM_CAP_IMMEDIATE_EXIT, "immediate exit"},
};

}  // namespace

base::UniqueFd open_kvm_device() {
  base::UniqueFd fd(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (fd)
    return fd;
  std::string hint;
  if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
    hint =
        "this host offers no hardware virtualization: load kvm_intel or kvm_amd, or enable VT-x or SVM in "
        "the "
        "firmware, or nested virtualization on the host above";
  else if (errno == EACCES || errno == EPERM)
    hint = "join the group of /dev/kvm: usermod -aG kvm USER";
  else if (errno == EBUSY)
    hint = "another hypervisor holds the processor";
  base::throw_errno(std::string("cannot open ") + kDevice, std::move(hint));
}

int kvm_call(int fd, unsigned long request, unsigned long argument, const char* what) {
  while (true) {
    const int result = ::ioctl(fd, request, argument);
    if (result >= 0)
      return result;
    if (errno != EINTR)
      base::throw_errno(std::string("cannot ") + what);
  }
}

int kvm_call(int fd, unsigned long request, const void* argument, const char* what) {
  return kvm_call(fd, request, reinterpret_cast<unsigned long>(argument), what);
}

Kvm::Kvm(base::UniqueFd opened) : fd_(opened ? std::move(opened) : open_kvm_device()) {
  const int version = kvm_call(fd_.get(), KVM_GET_API_VERSION, 0UL, "ask /dev/kvm for its version");
  if (version != KVM_API_VERSION)
    throw base::Error("/dev/kvm has version " + std::to_string(version) + " of its interface, not 12");
  for (const Need& need : kNeeds) {
    if (extension(need.capability) <= 0)
      throw base::Error(std::string("this host's KVM lacks ") + need.what, 0, "it needs Linux 5.10 or later");
  }
}

int Kvm::extension(int capability) const {
  return ::ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability);
}

Vm Kvm::make_vm() const {
  base::UniqueFd vm(kvm_call(fd_.get(), KVM_CREATE_VM, 0UL, "make a virtual machine"));
  const int bytes = kvm_call(fd_.get(), KVM_GET_VCPU_MMAP_SIZE, 0UL, "ask for the size of a vCPU's state");
  return {std::move(vm), static_cast<std::size_t>(bytes)};
}

void Vm::set_memory(const GuestMemory& memory) const {
  std::uint32_t slot = 0;
  for (const MemoryRange& range : memory.ranges()) {
    const kvm_userspace_memory_region region{
        .slot = slot++,
        .guest_phys_addr = range.guest_address,
        .memory_size = range.size,
        .userspace_addr = reinterpret_cast<std::uint64_t>(memory.host_address(range)),
    };
    kvm_call(fd_.get(), KVM_SET_USER_MEMORY_REGION, &region, "give the guest its memory");
  }
  for (const ReadOnlyRange& range : memory.read_only_ranges()) {
    const kvm_userspace_memory_region region{
        .slot = slot++,
        .flags = KVM_MEM_READONLY,
        .guest_phys_addr = range.guest_address,
        .memory_size = range.size,
        .userspace_addr = reinterpret_cast<std::uint64_t>(range.data),
    };
    kvm_call(fd_.get(), KVM_SET_USER_MEMORY_REGION, &region, "give the guest a mapped disk");
  }
}

void Vm::show_read_only(std::uint64_t address, std::span<std::byte> bytes) const {
  constexpr std::uint32_t kSlot = 64;  // behind those of set_memory(), whatever their number
  const kvm_userspace_memory_region region{
      .slot = kSlot,
      .flags = KVM_MEM_READONLY,
      .guest_phys_addr = address,
      .memory_size = bytes.size(),
      .userspace_addr = reinterpret_cast<std::uint64_t>(bytes.data()),
  };
  kvm_call(fd_.get(), KVM_SET_USER_MEMORY_REGION, &region, "show the guest its devices' registers");
}

Vcpu Vm::make_vcpu(unsigned id) const {
  base::UniqueFd fd(kvm_call(fd_.get(), KVM_CREATE_VCPU, static_cast<unsigned long>(id), "make a vCPU"));
  return {std::move(fd), run_bytes_};
}

// Not by an irqfd: for a line of the IO-APIC the kernel has a worker raise it, which is woken first.
void Vm::interrupt(std::uint32_t line) const noexcept {
  for (const std::uint32_t level : {1U, 0U}) {
    const kvm_irq_level state{.irq = line, .level = level};
    (void)::ioctl(fd_.get(), KVM_IRQ_LINE, &state);  // it cannot fail: the machine has the controller
  }
}

void Vm::connect_write(int event, std::uint64_t address, std::uint32_t value) const {
  const kvm_ioeventfd ioeventfd{.datamatch = value,
                                .addr = address,
                                .len = sizeof value,
                                .fd = event,
                                .flags = KVM_IOEVENTFD_FLAG_DATAMATCH};
  kvm_call(fd_.get(), KVM_IOEVENTFD, &ioeventfd, "connect a device's queue");
}

Vcpu::Vcpu(base::UniqueFd fd, std::size_t run_bytes) : fd_(std::move(fd)), run_bytes_(run_bytes) {
  void* address = ::mmap(nullptr, run_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (address == MAP_FAILED)
    base::throw_errno("cannot map a vCPU's state");
  run_ = static_cast<kvm_run*>(address);
}

Vcpu::Vcpu(Vcpu&& other) noexcept
    : fd_(std::move(other.fd_)), run_(std::exchange(other.run_, nullptr)), run_bytes_(other.run_bytes_) {}

Vcpu::~Vcpu() {
  if (run_ != nullptr)
    ::munmap(run_, run_bytes_);
}

std::span<std::byte> Vcpu::io_data() const {
  const std::uint64_t offset = run_->io.data_offset;
  const std::uint64_t size = static_cast<std::uint64_t>(run_->io.size) * run_->io.count;
  if (offset > run_bytes_ || size > run_bytes_ - offset)
    return {};
  return {reinterpret_cast<std::byte*>(run_) + offset, size};
}

bool Vcpu::enter() const {
  if (::ioctl(fd_.get(), KVM_RUN, 0) == 0)
    return true;
  if (errno == EINTR || errno == EAGAIN)
    return false;
  if (errno == EFAULT)
    throw base::Error(kMemoryGone);
  base::throw_errno("cannot run the guest");
}

void Vcpu::interrupt() const noexcept {
  __atomic_store_n(&run_->immediate_exit, std::uint8_t{1}, __ATOMIC_SEQ_CST);
}

void Vcpu::forget_interrupt() const noexcept {
  __atomic_store_n(&run_->immediate_exit, std::uint8_t{0}, __ATOMIC_SEQ_CST);
}

void Vcpu::tell_stopped() const noexcept {
  (void)::ioctl(fd_.get(), KVM_KVMCLOCK_CTRL, 0);  // EINVAL: the guest has no such clock
}

}  // namespace trine::hvm
