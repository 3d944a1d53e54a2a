#include "driver.h"

#include <cstring>

namespace trine::hvm::test {

Driver::Driver(std::unique_ptr<Device> device) : transport_(std::move(device), memory_, wires()) {}

Driver::Driver(const std::function<std::unique_ptr<Device>(const GuestMemory&)>& make)
    : transport_(make(memory_), memory_, wires()) {}

MmioWires Driver::wires() {
  return {.interrupt = [this] { ++interrupts_; },
          .serve_again = [this](unsigned /*queue*/) { ++asked_again_; },
          .window = {}};
}

std::uint32_t Driver::read(std::uint64_t offset) {
  std::uint32_t value = 0;
  transport_.read(offset, std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

void Driver::write(std::uint64_t offset, std::uint32_t value) {
  transport_.write(offset, std::as_bytes(std::span(&value, 1)));
}

void Driver::start(std::uint16_t size, std::uint64_t unknown) {
  write(0x70, 0);
  write(0x70, 1 | 2);
  for (const std::uint32_t word : {0U, 1U}) {
    write(0x14, word);
    const std::uint32_t offered = read(0x10);
    write(0x24, word);
    write(0x20, offered & ~static_cast<std::uint32_t>(unknown >> (32U * word)));
  }
  write(0x70, 1 | 2 | 8);
  for (unsigned queue = 0; queue < transport_.device().queue_count(); ++queue)
    set_up_queue(queue, size);
  write(0x70, 1 | 2 | 8 | 4);
}

void Driver::forget() {
  for (unsigned queue = 0; queue < next_available_.size(); ++queue) {
    next_available_[queue] = 0;
    set_available_index(queue, 0);
    memory_.slice(used(queue), 4)->store_release(2, 0);
  }
}

void Driver::set_up_queue(unsigned queue, std::uint16_t size) {
  size_ = size;
  write(0x30, queue);
  write(0x38, size);
  for (const auto& [offset, address] :
       {std::pair{0x80U, descriptors(queue)}, {0x90U, available(queue)}, {0xa0U, used(queue)}}) {
    write(offset, static_cast<std::uint32_t>(address));
    write(offset + 4, static_cast<std::uint32_t>(address >> 32U));
  }
  write(0x44, 1);
}

void Driver::put_descriptor(unsigned queue, std::uint16_t index, const RawDescriptor& descriptor) {
  memory_.slice(descriptors(queue) + (index * 16U), 16)->store(0, descriptor);
}

void Driver::set_available_index(unsigned queue, std::uint16_t index) {
  memory_.slice(available(queue), 4)->store_release(2, index);
}

void Driver::offer(unsigned queue, std::uint16_t head) {
  std::uint16_t& next = next_available_[queue];
  const std::uint64_t slot = next % size_;
  memory_.slice(available(queue) + 4 + (slot * 2), 2)->store(0, head);
  set_available_index(queue, ++next);
}

std::string Driver::request(unsigned queue, const std::string& out, std::uint32_t in) {
  const std::uint64_t answer = kData + 0x80000;
  store(kData, out);
  store(answer, std::string(in, '\xee'));
  if (out.empty()) {
    put_descriptor(queue, 0, {.address = answer, .length = in, .flags = kWrite});
  } else {
    put_descriptor(queue, 0,
                   {.address = kData,
                    .length = static_cast<std::uint32_t>(out.size()),
                    .flags = in > 0 ? kNext : std::uint16_t{0},
                    .next = 1});
    put_descriptor(queue, 1, {.address = answer, .length = in, .flags = kWrite});
  }
  const std::uint16_t before = used_index(queue);
  offer(queue, 0);
  notify(queue);
  if (used_index(queue) == before)
    return {};
  return load(answer, in);
}

std::uint64_t Driver::offer_buffer(unsigned queue, std::uint32_t bytes) {
  const std::uint64_t address = next_buffer_;
  next_buffer_ += bytes;
  const std::uint16_t index = next_available_[queue] % size_;
  put_descriptor(queue, index, {.address = address, .length = bytes, .flags = kWrite});
  offer(queue, index);
  return address;
}

std::uint16_t Driver::used_index(unsigned queue) {
  return memory_.slice(used(queue), 4)->load_acquire(2);
}

std::string Driver::used_bytes(unsigned queue, std::uint16_t index) {
  const auto entry = memory_.slice(used(queue) + 4 + ((index % size_) * 8U), 8);
  const auto head = entry->load<std::uint32_t>(0);
  const auto length = entry->load<std::uint32_t>(4);
  const auto descriptor = memory_.slice(descriptors(queue) + (head * 16U), 16)->load<RawDescriptor>(0);
  return load(descriptor.address, length);
}

void Driver::store(std::uint64_t address, std::string_view bytes) {
  if (!bytes.empty())
    memory_.slice(address, bytes.size())->write(0, std::as_bytes(std::span(bytes)));
}

std::string Driver::load(std::uint64_t address, std::size_t bytes) {
  std::string text(bytes, '\0');
  if (bytes > 0)
    memory_.slice(address, bytes)->read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace trine::hvm::test
