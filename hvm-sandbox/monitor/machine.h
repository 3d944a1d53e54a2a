#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "devices/console/console_log.h"
#include "devices/pmem/mapped_file.h"
#include "devices/serial/serial.h"
#include "kvm/kvm.h"
#include "loop/event_loop.h"
#include "memory/guest_memory.h"
#include "monitor/control.h"
#include "monitor/gate.h"
#include "monitor/plan.h"
#include "virtio/mmio.h"
#include "virtio/windows.h"

namespace trine::hvm {

class Balloon;

/// How a machine ended.
enum class EndKind {
  kPowerOff,
  kReset,    ///< the guest asked for a reset, and did not say that its kernel panicked
  kPanic,    ///< its kernel panicked
  kFault,    ///< it reset itself by a fault that it could not handle, or KVM could not go on
  kStopped,  ///< from outside
};

struct End {
  EndKind kind = EndKind::kPowerOff;
  std::string detail;  ///< of kFault: what KVM said
};

/// One virtual machine: its memory, processors and devices, and the threads that they run on.
class Machine : private Controlled {
 public:
  /// Makes all of it; nothing runs yet. Throws base::Error.
  explicit Machine(MachinePlan plan);
  ~Machine() override;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Runs the machine on this thread (devices) and on one for each vCPU, to its end. Each vCPU's thread
  /// confines itself first. `confine` is called on this thread when all others are made; no guest runs before
  /// it has returned and they are confined.
  End run(const std::function<void()>& confine = {});

  /// Ends the machine, from any thread; the first end counts.
  void end(End how) noexcept;

  [[nodiscard]] const ConsoleLog& console() const { return console_; }
  [[nodiscard]] EventLoop& loop() { return loop_; }
  /// "the driver of disk 1 gave it an address that is not memory", for each device that was broken.
  [[nodiscard]] std::vector<std::string> device_failures() const;

 private:
  /// A device, where the guest finds it.
  struct Slot {
    std::unique_ptr<MmioTransport> transport;
    std::vector<base::UniqueFd> queues;
  };

  void map_disks();
  void add_device(std::unique_ptr<Device> device);
  void add_disk(Disk& disk, std::string identity);
  void add_devices();
  void add_shares();
  void load();
  void run_vcpu(unsigned index) noexcept;
  /// Until every thread has come here, or the machine ends.
  void await_confinement();
  /// Handles one exit; false when the machine ended.
  bool handle_exit(const Vcpu& vcpu);
  void access_port(const kvm_run& run, std::span<std::byte> data);
  void access_memory(kvm_run& run);
  void access_nothing(std::uint64_t address, bool is_write, std::span<std::byte> data);
  void notify(const Slot& slot, std::span<const std::byte> data);
  /// Brings every vCPU's thread out of the guest, to look for the reason.
  void interrupt_vcpus() noexcept;
  void listen_to_caller();
  void on_all_waiting() noexcept;

  void pause(std::function<void()> done) override;
  void resume() override;
  bool set_balloon(std::uint64_t bytes) override;
  [[nodiscard]] std::string stats() const override;

  MachinePlan plan_;
  ConsoleLog console_;
  EventLoop loop_;
  Kvm kvm_;
  Vm vm_;
  std::vector<MappedFile> mapped_;
  GuestMemory memory_;
  Serial serial_;
  RegisterWindows windows_;
  base::UniqueFd acknowledged_;  ///< counts what nobody has to hear
  std::vector<Slot> slots_;
  Balloon* balloon_ = nullptr;  ///< one of them
  std::vector<Vcpu> vcpus_;
  std::vector<std::thread> threads_;
  std::mutex start_lock_;
  std::condition_variable confined_;
  std::size_t confined_count_ = 0;
  std::mutex end_lock_;
  std::optional<End> end_;
  std::atomic<bool> ending_ = false;
  Gate gate_;
  std::function<void()> paused_;  ///< to be told when all vCPUs are out of the guest
  std::optional<Control> control_;
  std::uint64_t entry_ = 0;
};

}  // namespace trine::hvm
