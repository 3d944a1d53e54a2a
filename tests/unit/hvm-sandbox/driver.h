#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "memory/guest_memory.h"
#include "virtio/mmio.h"

/// A guest's driver, scripted: it sets a device up through its registers and puts chains into its queues,
/// right or wrong as a test wants.
namespace trine::hvm::test {

/// A descriptor as it stands in the table.
struct RawDescriptor {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  std::uint16_t flags = 0;
  std::uint16_t next = 0;
};

constexpr std::uint16_t kNext = 1;
constexpr std::uint16_t kWrite = 2;
constexpr std::uint64_t kGuestBytes = 4 << 20;
constexpr std::uint64_t kData = 0x100000;  ///< free for buffers from here on

class Driver {
 public:
  explicit Driver(std::unique_ptr<Device> device);
  /// For a device that needs to know the guest's memory.
  explicit Driver(const std::function<std::unique_ptr<Device>(const GuestMemory&)>& make);

  GuestMemory& memory() { return memory_; }
  MmioTransport& transport() { return transport_; }
  [[nodiscard]] unsigned interrupts() const { return interrupts_; }
  /// How often the device asked to be notified once more.
  [[nodiscard]] unsigned asked_again() const { return asked_again_; }

  std::uint32_t read(std::uint64_t offset);
  void write(std::uint64_t offset, std::uint32_t value);
  [[nodiscard]] bool needs_reset() { return (read(0x70) & 64U) != 0; }

  /// That it had put anything into a queue: what a driver does when it has reset the device.
  void forget();
  /// Everything a good driver does, with queues of `size` entries, that knows all features but these.
  void start(std::uint16_t size = 16, std::uint64_t unknown = 0);
  void set_up_queue(unsigned queue, std::uint16_t size);
  static std::uint64_t descriptors(unsigned queue) { return 0x10000 + (queue * 0x4000U); }
  static std::uint64_t available(unsigned queue) { return descriptors(queue) + 0x2000; }
  static std::uint64_t used(unsigned queue) { return descriptors(queue) + 0x3000; }

  void put_descriptor(unsigned queue, std::uint16_t index, const RawDescriptor& descriptor);
  /// Makes a chain available, without a notification.
  void offer(unsigned queue, std::uint16_t head);
  void set_available_index(unsigned queue, std::uint16_t index);
  void notify(unsigned queue) { write(0x50, queue); }
  /// As it is on the thread of a vCPU.
  void notify_at_once(unsigned queue) { transport_.notify_at_once(queue); }

  /// A request with `out` for the device to read and `in` bytes for it to write, notified. Returns what it
  /// wrote, as the used ring counts; the whole of `in` when `raw`.
  std::string request(unsigned queue, const std::string& out, std::uint32_t in);
  /// Offers an empty buffer of this many bytes and returns its address.
  std::uint64_t offer_buffer(unsigned queue, std::uint32_t bytes);
  [[nodiscard]] std::uint16_t used_index(unsigned queue);
  /// The bytes written into the buffer of the used ring's entry `index`, by its descriptor.
  std::string used_bytes(unsigned queue, std::uint16_t index);

  void store(std::uint64_t address, std::string_view bytes);
  std::string load(std::uint64_t address, std::size_t bytes);

 private:
  GuestMemory memory_{{{.guest_address = 0, .size = kGuestBytes, .offset = 0}}};
  MmioWires wires();

  unsigned interrupts_ = 0;
  unsigned asked_again_ = 0;
  MmioTransport transport_;
  std::uint16_t size_ = 0;
  std::vector<std::uint16_t> next_available_ = std::vector<std::uint16_t>(32);
  std::uint64_t next_buffer_ = kData;
};

}  // namespace trine::hvm::test
