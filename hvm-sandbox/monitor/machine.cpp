#include "monitor/machine.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/boot_params.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/layout.h"
#include "base/error.h"
#include "base/file.h"
#include "boot/elf.h"
#include "boot/initramfs.h"
#include "devices/balloon/balloon.h"
#include "devices/block/block.h"
#include "devices/console/console.h"
#include "devices/fs/fs.h"
#include "devices/net/net.h"
#include "devices/pmem/pmem.h"
#include "devices/rng/rng.h"
#include "devices/vsock/vsock.h"
#include "jail/confine.h"
#include "monitor/connector.h"

namespace trine::hvm {
namespace {

/// Brings a vCPU's thread out of KVM_RUN; its handler does nothing.
int kick_signal() {
  return SIGRTMIN;
}

void ignore_kick(int /*signal*/) {}

/// In the usual 8 MiB of a thread's stack the host would put a huge page for the few kilobytes that are used.
void use_small_stacks() {
  constexpr std::size_t kStack = 512 << 10;
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0)
    return;
  if (::pthread_attr_setstacksize(&attributes, kStack) == 0)
    (void)::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

base::UniqueFd make_event() {
  base::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event)
    base::throw_errno("cannot make an event for a device");
  return event;
}

void signal_event(int event) noexcept {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);  // full means: it is signalled
}

}  // namespace

Machine::Machine(MachinePlan plan)
    : plan_(std::move(plan)),
      console_(plan_.console.get()),
      kvm_(std::move(plan_.kvm)),
      vm_(kvm_.make_vm()),
      memory_(x86::memory_ranges(plan_.memory_bytes)),
      serial_(console_, [this] { vm_.interrupt(Serial::kInterrupt); }),
      windows_(kvm_.extension(KVM_CAP_READONLY_MEM) > 0 ? x86::kMostDevices : 0),
      acknowledged_(make_event()),
      gate_(plan_.cpus) {
  use_small_stacks();
  map_disks();
  vm_.set_memory(memory_);
  x86::prepare_machine(vm_);
  add_devices();
  load();
  if (plan_.merge_pages)
    memory_.merge_pages();
  if (!plan_.small_pages)
    memory_.use_huge_pages();
  const x86::CpuModel model(kvm_, plan_.cpus);
  for (unsigned id = 0; id < plan_.cpus; ++id) {
    vcpus_.push_back(vm_.make_vcpu(id));
    model.apply(vcpus_.back(), id);
    x86::set_local_apic(vcpus_.back());
  }
}

Machine::~Machine() {
  end({.kind = EndKind::kStopped});
  for (std::thread& thread : threads_)
    thread.join();
  // Before the events that they signal: a device may have a thread of its own.
  for (Slot& slot : slots_)
    slot.transport.reset();
}

void Machine::add_device(std::unique_ptr<Device> device) {
  const unsigned index = static_cast<unsigned>(slots_.size());
  Slot& slot = slots_.emplace_back();
  const unsigned queues = device->queue_count();
  std::vector<int> events;
  events.reserve(queues);
  const int own = device->own_notices();
  for (unsigned queue = 0; queue < queues; ++queue)
    events.push_back(own >= 0 ? own : slot.queues.emplace_back(make_event()).get());
  MmioWires wires{.interrupt = [this, line = x86::device_interrupt(index)] { vm_.interrupt(line); },
                  .serve_again = [events](unsigned queue) { signal_event(events[queue]); },
                  .window = windows_.of(index)};
  const bool has_window = !wires.window.empty();
  slot.transport = std::make_unique<MmioTransport>(std::move(device), memory_, std::move(wires));
  MmioTransport* transport = slot.transport.get();
  const std::uint64_t address = x86::kDevices + (index * MmioTransport::kWindow);
  // Nobody has to hear of it then: it ends in the kernel.
  if (has_window)
    vm_.connect_write(acknowledged_.get(), address + MmioTransport::kAcknowledgeRegister,
                      MmioTransport::kUsedBuffer);
  for (unsigned queue = 0; queue < queues; ++queue) {
    const int event = events[queue];
    if (!transport->device().serves_at_once(queue))
      vm_.connect_write(event, address + MmioTransport::kNotifyRegister, queue);
    const auto serve = [transport, queue, event](std::uint32_t /*events*/) {
      std::uint64_t count = 0;
      (void)!::read(event, &count, sizeof count);
      transport->notify(queue);
    };
    if (own < 0 && !loop_.watch(event, EPOLLIN, serve))
      base::throw_errno("cannot watch a device's queue");
  }
}

void Machine::map_disks() {
  std::uint64_t address = x86::mapped_disks(plan_.memory_bytes);
  for (const Disk& disk : plan_.disks) {
    if (!disk.mapped)
      continue;
    const MappedFile& file = mapped_.emplace_back(disk.file.get());
    memory_.add_read_only({.guest_address = address, .size = file.size(), .data = file.data()});
    address += (file.size() + x86::kDiskUnit - 1) / x86::kDiskUnit * x86::kDiskUnit;
  }
}

void Machine::add_disk(Disk& disk, std::string identity) {
  auto block = std::make_unique<Block>(std::move(disk.file), disk.read_only, std::move(identity));
  // An image's layers are in the host's memory as a rule, and a ring for each would hold up every start.
  if (!disk.read_only)
    block->serve_beside(loop_);
  if (plan_.disk_limits.any())
    block->limit(loop_, plan_.disk_limits);
  add_device(std::move(block));
}

void Machine::add_devices() {
  for (std::size_t i = 0; i < plan_.disks.size(); ++i) {
    if (!plan_.disks[i].mapped)
      add_disk(plan_.disks[i], "trine" + std::to_string(i));
  }
  for (const ReadOnlyRange& range : memory_.read_only_ranges())
    add_device(std::make_unique<Pmem>(range.guest_address, range.size));
  for (Nic& nic : plan_.nics)
    add_device(std::make_unique<Net>(std::move(nic.taps), nic.options, loop_));
  add_device(std::make_unique<Rng>());
  add_device(std::make_unique<Console>(console_));
  auto balloon = std::make_unique<Balloon>(memory_);
  balloon_ = balloon.get();
  add_device(std::move(balloon));
  if (plan_.connections)
    add_device(std::make_unique<Vsock>(kGuestCid, loop_, make_connector(plan_.connections.get())));
  if (plan_.connections)
    listen_to_caller();
  add_shares();
  if (slots_.size() > x86::kMostDevices)
    throw base::Error("a machine has at most " + std::to_string(x86::kMostDevices) + " devices");
  if (const auto windows = windows_.first(static_cast<unsigned>(slots_.size())); !windows.empty())
    vm_.show_read_only(x86::kDevices, windows);
}

void Machine::add_shares() {
  if (plan_.shares.empty())
    return;
  const FsBounds bounds = make_room_for_shares(plan_.shares.size());
  if (!plan_.proc)
    plan_.proc = base::open_file("/proc", O_PATH | O_DIRECTORY);
  for (Share& share : plan_.shares) {
    const std::array shared{share.source.get()};
    FileServer server(std::move(share.source), share.read_only, bounds, plan_.proc.get());
    const auto confine = [shared] {
      restrict_files(shared);
      confine_thread(ThreadKind::kShares);
    };
    add_device(std::make_unique<Fs>(share.tag, std::move(server), loop_.device_lock(), confine));
  }
  plan_.proc.reset();  // the rest of it is none of the guest's business
}

void Machine::load() {
  const auto kernel = load_elf(plan_.kernel.get(), memory_, x86::kHighMemory);
  if (!kernel)
    throw base::Error("cannot load the guest's kernel: " + kernel.error(), 0,
                      "trine kernel import unpacks a kernel of Debian's");
  x86::BootFacts facts{.command_line = plan_.command_line};
  const MemoryRange& low = memory_.ranges().front();
  const LoadedInitramfs initramfs = load_initramfs(plan_.initramfs, memory_, kernel->end, low.size);
  facts.initramfs = initramfs.address;
  facts.initramfs_bytes = initramfs.size;
  x86::write_boot_params(memory_, facts);
  x86::write_acpi(memory_, {.cpus = plan_.cpus, .devices = static_cast<unsigned>(slots_.size())});
  vcpus_.reserve(plan_.cpus);
  entry_ = kernel->entry;
}

End Machine::run(const std::function<void()>& confine) {
  struct sigaction action{};
  action.sa_handler = ignore_kick;
  ::sigaction(kick_signal(), &action, nullptr);
  x86::set_boot_state(vcpus_.front(), entry_);
  for (unsigned index = 0; index < vcpus_.size(); ++index)
    threads_.emplace_back([this, index] { run_vcpu(index); });
  if (confine)
    confine();
  await_confinement();
  loop_.run();
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
  const std::scoped_lock lock(end_lock_);
  End result = end_.value_or(End{.kind = EndKind::kStopped});
  if (result.kind == EndKind::kReset && console_.contains("Kernel panic"))
    result.kind = EndKind::kPanic;
  return result;
}

void Machine::end(End how) noexcept {
  {
    const std::scoped_lock lock(end_lock_);
    if (!end_)
      end_ = std::move(how);
  }
  ending_ = true;
  gate_.open_for_good();
  {
    const std::scoped_lock lock(start_lock_);
    confined_.notify_all();
  }
  interrupt_vcpus();
  loop_.stop();
}

void Machine::interrupt_vcpus() noexcept {
  // The flag first: a thread that the signal finds outside of KVM_RUN sees the flag when it enters.
  for (const Vcpu& vcpu : vcpus_)
    vcpu.interrupt();
  for (std::thread& thread : threads_) {
    if (thread.joinable())
      ::pthread_kill(thread.native_handle(), kick_signal());
  }
}

void Machine::await_confinement() {
  std::unique_lock lock(start_lock_);
  ++confined_count_;
  confined_.notify_all();
  confined_.wait(lock, [&] { return ending_ || confined_count_ == vcpus_.size() + 1; });
}

void Machine::run_vcpu(unsigned index) noexcept {
  const Vcpu& vcpu = vcpus_[index];
  try {
    confine_thread(ThreadKind::kVcpu);
    await_confinement();
    while (!ending_) {
      if (gate_.is_closed()) {
        gate_.wait();
        vcpu.tell_stopped();
      } else if (!vcpu.enter()) {
        vcpu.forget_interrupt();  // its reason is what this loop looks for next
      } else if (!handle_exit(vcpu)) {
        return;
      }
    }
  } catch (const base::Error& error) {
    end({.kind = EndKind::kFault, .detail = error.what()});
  }
}

bool Machine::handle_exit(const Vcpu& vcpu) {
  kvm_run& run = vcpu.run();
  switch (run.exit_reason) {
    case KVM_EXIT_IO:
      access_port(run, vcpu.io_data());
      return !ending_;
    case KVM_EXIT_MMIO:
      access_memory(run);
      return !ending_;
    case KVM_EXIT_INTR:
    case KVM_EXIT_HLT:
      return true;
    case KVM_EXIT_SHUTDOWN:
      end({.kind = EndKind::kFault, .detail = "it reset its processor (a triple fault)"});
      return false;
    case KVM_EXIT_FAIL_ENTRY:
      end({.kind = EndKind::kFault,
           .detail = "the processor refuses its state, reason " +
                     std::to_string(run.fail_entry.hardware_entry_failure_reason)});
      return false;
    case KVM_EXIT_INTERNAL_ERROR:
      end({.kind = EndKind::kFault,
           .detail = "KVM cannot run it, internal error " + std::to_string(run.internal.suberror)});
      return false;
    default:
      end({.kind = EndKind::kFault,
           .detail =
               "it left for a reason that the monitor does not know, " + std::to_string(run.exit_reason)});
      return false;
  }
}

void Machine::access_port(const kvm_run& run, std::span<std::byte> data) {
  const std::uint16_t port = run.io.port;
  const bool is_write = run.io.direction == KVM_EXIT_IO_OUT;
  const bool is_serial = port >= Serial::kBase && port < Serial::kBase + Serial::kPorts;
  if (is_serial) {
    // A string instruction moves many bytes through one port in one exit.
    const std::scoped_lock lock(loop_.device_lock());
    for (std::size_t i = 0; i < data.size(); i += std::max<std::size_t>(run.io.size, 1)) {
      const auto offset = static_cast<std::uint16_t>(port - Serial::kBase);
      if (is_write)
        serial_.write(offset, static_cast<std::uint8_t>(data[i]));
      else
        data[i] = static_cast<std::byte>(serial_.read(offset));
    }
    return;
  }
  if (!is_write) {
    // A sleep status of 0: no wake event. All other ports: nobody answers.
    std::memset(data.data(), port == x86::kSleepStatus ? 0 : 0xff, data.size());
    return;
  }
  const auto value = data.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(data.front());
  constexpr std::uint8_t kSleepEnable = 0x20;
  constexpr std::uint16_t kKeyboardControl = 0x64;
  constexpr std::uint8_t kPulseReset = 0xfe;
  if (port == x86::kSleepControl && value == (kSleepEnable | (x86::kSleepTypeOff << 2U)))
    end({.kind = EndKind::kPowerOff});
  else if ((port == x86::kResetPort && value == x86::kResetValue) ||
           (port == kKeyboardControl && value == kPulseReset))
    end({.kind = EndKind::kReset});
}

/// What KVM does for the guest, instruction by instruction, it hands to us where it cannot reach memory.
void Machine::access_nothing(std::uint64_t address, bool is_write, std::span<std::byte> data) {
  if (is_write ? memory_.slice(address, data.size()) : memory_.readable_slice(address, data.size()))
    return end({.kind = EndKind::kFault, .detail = kMemoryGone});
  if (!is_write)
    std::memset(data.data(), 0xff, data.size());
}

void Machine::access_memory(kvm_run& run) {
  const std::span<std::byte> data{reinterpret_cast<std::byte*>(run.mmio.data),
                                  std::min<std::size_t>(run.mmio.len, sizeof run.mmio.data)};
  const std::uint64_t address = run.mmio.phys_addr;
  const std::uint64_t index = (address - x86::kDevices) / MmioTransport::kWindow;
  if (address < x86::kDevices || index >= slots_.size())
    return access_nothing(address, run.mmio.is_write != 0, data);
  const std::uint64_t offset = address % MmioTransport::kWindow;
  if (offset == MmioTransport::kNotifyRegister && run.mmio.is_write != 0) {
    notify(slots_[index], data);
    return;
  }
  const std::scoped_lock lock(loop_.device_lock());
  if (run.mmio.is_write != 0)
    slots_[index].transport->write(offset, data);
  else
    slots_[index].transport->read(offset, data);
}

/// A vCPU does not wait for the others' devices: then its own is the loop's to serve.
void Machine::notify(const Slot& slot, std::span<const std::byte> data) {
  std::uint32_t queue = 0;
  std::memcpy(&queue, data.data(), std::min(data.size(), sizeof queue));
  if (queue >= slot.queues.size() || data.size() != sizeof queue)
    return;
  const std::unique_lock lock(loop_.device_lock(), std::try_to_lock);
  if (lock.owns_lock() && !loop_.is_held())
    slot.transport->notify_at_once(queue);
  else
    signal_event(slot.queues[queue].get());
}

std::vector<std::string> Machine::device_failures() const {
  std::vector<std::string> failures;
  for (const Slot& slot : slots_) {
    if (const auto failure = slot.transport->failure())
      failures.push_back("the driver of " + slot.transport->device().name() + " gave it " +
                         std::string(text_of(*failure)));
  }
  return failures;
}

}  // namespace trine::hvm
