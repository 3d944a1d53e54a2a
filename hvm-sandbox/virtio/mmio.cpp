#include "virtio/mmio.h"

#include <algorithm>
#include <cstring>

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §4.2.2, table 4.1.
enum Register : std::uint64_t {
  kMagic = 0x00,
  kVersion = 0x04,
  kDeviceId = 0x08,
  kVendorId = 0x0c,
  kDeviceFeatures = 0x10,
  kDeviceFeaturesSelect = 0x14,
  kDriverFeatures = 0x20,
  kDriverFeaturesSelect = 0x24,
  kQueueSelect = 0x30,
  kQueueSizeMost = 0x34,
  kQueueSize = 0x38,
  kQueueReady = 0x44,
  kQueueNotify = MmioTransport::kNotifyRegister,
  kInterruptStatus = 0x60,
  kInterruptAcknowledge = MmioTransport::kAcknowledgeRegister,
  kStatus = 0x70,
  kQueueDescriptorsLow = 0x80,
  kQueueDescriptorsHigh = 0x84,
  kQueueAvailableLow = 0x90,
  kQueueAvailableHigh = 0x94,
  kQueueUsedLow = 0xa0,
  kQueueUsedHigh = 0xa4,
  kSharedMemoryLengthLow = 0xb0,
  kSharedMemoryLengthHigh = 0xb4,
  kConfigGeneration = 0xfc,
  kConfig = 0x100,
};

constexpr std::uint32_t kMagicValue = 0x74726976;  // "virt"
constexpr std::uint32_t kModernVersion = 2;
constexpr std::uint32_t kVendor = 0x6e697274;  // "trin"

// Source: virtio 1.2 §2.1.
constexpr std::uint32_t kFeaturesOk = 8;
constexpr std::uint32_t kDriverOk = 4;
constexpr std::uint32_t kNeedsReset = 64;

constexpr std::uint64_t kFeatureVersion1 = 1ULL << 32U;  // §6
constexpr std::uint32_t kConfigChange = 2;

void set_low(std::uint64_t& address, std::uint32_t value) {
  address = (address & 0xffffffff00000000U) | value;
}

void set_high(std::uint64_t& address, std::uint32_t value) {
  address = (address & 0xffffffffU) | (static_cast<std::uint64_t>(value) << 32U);
}

std::uint32_t word_of(std::uint64_t bits, std::uint32_t select) {
  return select > 1 ? 0 : static_cast<std::uint32_t>(bits >> (32U * select));
}

}  // namespace

MmioTransport::MmioTransport(std::unique_ptr<Device> device, const GuestMemory& memory, MmioWires wires)
    : device_(std::move(device)), memory_(memory), wires_(std::move(wires)), queues_(device_->queue_count()) {
  device_->attach(*this);
  show();
}

std::uint64_t MmioTransport::offered() const noexcept {
  return device_->features() | kFeatureVersion1;
}

bool MmioTransport::is_live() const noexcept {
  return (status_ & kDriverOk) != 0 && (status_ & kNeedsReset) == 0;
}

Queue* MmioTransport::queue(unsigned index) noexcept {
  if (!is_live() || index >= queues_.size() || !queues_[index].queue)
    return nullptr;
  return &*queues_[index].queue;
}

void MmioTransport::interrupt(Queue& queue) noexcept {
  if (!queue.wants_interrupt())
    return;
  interrupt_status_ |= kUsedBuffer;  // a window says so already
  wires_.interrupt();
}

void MmioTransport::serve_again(unsigned queue) noexcept {
  if (wires_.serve_again)
    wires_.serve_again(queue);
}

void MmioTransport::show(std::uint64_t offset, std::uint32_t value) noexcept {
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(wires_.window.data() + offset), value, __ATOMIC_RELEASE);
}

void MmioTransport::show() noexcept {
  if (wires_.window.empty())
    return;
  for (std::uint64_t offset = 0; offset < kConfig; offset += sizeof(std::uint32_t)) {
    if (offset != kConfigGeneration)
      show(offset, read_register(offset));
  }
  const auto config = device_->config();
  for (std::size_t offset = 0; offset < config.size() && kConfig + offset < kWindow;
       offset += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, config.data() + offset, std::min(sizeof word, config.size() - offset));
    show(kConfig + offset, word);
  }
  show(kConfigGeneration, config_generation_);
}

void MmioTransport::config_changed() noexcept {
  // Before and after: who reads a window meanwhile finds another generation than it began with.
  ++config_generation_;
  if (!wires_.window.empty())
    show(kConfigGeneration, config_generation_);
  ++config_generation_;
  if (is_live())
    interrupt_status_ |= kConfigChange;
  show();
  if (is_live())
    wires_.interrupt();
}

void MmioTransport::fail(QueueError error) noexcept {
  failure_ = error;
  status_ |= kNeedsReset;
  const bool was_ready = (status_ & kDriverOk) != 0;
  if (was_ready)
    interrupt_status_ |= kConfigChange;
  show();
  if (was_ready)
    wires_.interrupt();
}

void MmioTransport::notify(unsigned queue_index) noexcept {
  if (queue(queue_index) != nullptr)
    device_->notify(queue_index);
}

void MmioTransport::notify_at_once(unsigned queue_index) noexcept {
  if (queue(queue_index) != nullptr)
    device_->notify_at_once(queue_index);
}

void MmioTransport::read(std::uint64_t offset, std::span<std::byte> out) noexcept {
  std::memset(out.data(), 0, out.size());
  if (offset >= kConfig) {
    const auto config = device_->config();
    const std::uint64_t begin = offset - kConfig;
    if (begin < config.size())
      std::memcpy(out.data(), config.data() + begin,
                  std::min<std::size_t>(out.size(), config.size() - begin));
    return;
  }
  if (out.size() != sizeof(std::uint32_t) || offset % 4 != 0)
    return;
  const std::uint32_t value = read_register(offset);
  std::memcpy(out.data(), &value, sizeof value);
}

std::uint32_t MmioTransport::read_register(std::uint64_t offset) noexcept {
  switch (offset) {
    case kMagic:
      return kMagicValue;
    case kVersion:
      return kModernVersion;
    case kDeviceId:
      return static_cast<std::uint32_t>(device_->type());
    case kVendorId:
      return kVendor;
    case kDeviceFeatures:
      return word_of(offered(), device_feature_word_);
    case kQueueSizeMost:
      return selected_ < queues_.size() ? device_->most_entries() : 0;
    case kQueueReady:
      return selected_ < queues_.size() && queues_[selected_].ready ? 1 : 0;
    case kInterruptStatus:
      return interrupt_status_ | (wires_.window.empty() ? 0 : kUsedBuffer);
    case kStatus:
      return status_;
    case kConfigGeneration:
      return config_generation_;
    case kSharedMemoryLengthLow:  // all ones: there is no such region, of no device
    case kSharedMemoryLengthHigh:
      return UINT32_MAX;
    default:
      return 0;
  }
}

void MmioTransport::write(std::uint64_t offset, std::span<const std::byte> in) noexcept {
  if (offset >= kConfig) {
    device_->write_config(offset - kConfig, in);
    show();
    return;
  }
  if (in.size() != sizeof(std::uint32_t) || offset % 4 != 0)
    return;
  std::uint32_t value = 0;
  std::memcpy(&value, in.data(), sizeof value);
  write_register(offset, value);
  if (offset != kQueueNotify)
    show();
}

void MmioTransport::write_register(std::uint64_t offset, std::uint32_t value) noexcept {
  switch (offset) {
    case kDeviceFeaturesSelect:
      device_feature_word_ = value;
      break;
    case kDriverFeaturesSelect:
      driver_feature_word_ = value;
      break;
    case kDriverFeatures:
      if ((status_ & kFeaturesOk) != 0)
        break;
      if (driver_feature_word_ == 0)
        set_low(driver_features_, value);
      else if (driver_feature_word_ == 1)
        set_high(driver_features_, value);
      break;
    case kQueueSelect:
      selected_ = value;
      break;
    case kQueueNotify:
      notify(value);
      break;
    case kInterruptAcknowledge:
      interrupt_status_ &= ~value;
      break;
    case kStatus:
      write_status(value);
      break;
    default:
      write_queue_register(offset, value);
  }
}

void MmioTransport::write_queue_register(std::uint64_t offset, std::uint32_t value) noexcept {
  if (selected_ >= queues_.size() || (status_ & (kDriverOk | kNeedsReset)) != 0)
    return;
  QueueState& state = queues_[selected_];
  if (offset == kQueueReady) {
    make_ready(state, value == 1);
    return;
  }
  if (state.ready)
    return;
  switch (offset) {
    case kQueueSize:
      state.layout.size = static_cast<std::uint16_t>(std::min<std::uint32_t>(value, UINT16_MAX));
      break;
    case kQueueDescriptorsLow:
      set_low(state.layout.descriptors, value);
      break;
    case kQueueDescriptorsHigh:
      set_high(state.layout.descriptors, value);
      break;
    case kQueueAvailableLow:
      set_low(state.layout.available, value);
      break;
    case kQueueAvailableHigh:
      set_high(state.layout.available, value);
      break;
    case kQueueUsedLow:
      set_low(state.layout.used, value);
      break;
    case kQueueUsedHigh:
      set_high(state.layout.used, value);
      break;
    default:
      break;
  }
}

void MmioTransport::make_ready(QueueState& state, bool ready) noexcept {
  state.ready = false;
  state.queue.reset();
  if (!ready)
    return;
  state.layout.indirect = (driver_features_ & kFeatureIndirect) != 0;
  state.layout.event_index = (driver_features_ & kFeatureEventIndex) != 0;
  auto made = Queue::make(memory_, state.layout, device_->most_entries());
  if (!made) {
    fail(made.error());
    return;
  }
  state.queue = *made;
  state.ready = true;
}

void MmioTransport::write_status(std::uint32_t value) noexcept {
  if (value == 0) {
    reset();
    return;
  }
  const bool was_live = is_live();
  // Bits are only ever added; FEATURES_OK stays off for a set of features that we did not offer or cannot do.
  if ((value & kFeaturesOk) != 0 && (status_ & kFeaturesOk) == 0 &&
      ((driver_features_ & ~offered()) != 0 || (driver_features_ & kFeatureVersion1) == 0))
    value &= ~kFeaturesOk;
  if ((value & kFeaturesOk) == 0 && (status_ & kFeaturesOk) == 0)
    value &= ~kDriverOk;
  status_ |= value & ~kNeedsReset;
  if (!was_live && is_live())
    device_->activate();
}

void MmioTransport::reset() noexcept {
  if ((status_ & kDriverOk) != 0)
    device_->reset();
  std::ranges::fill(queues_, QueueState{});
  status_ = 0;
  device_feature_word_ = driver_feature_word_ = selected_ = 0;
  driver_features_ = 0;
  interrupt_status_ = 0;
}

}  // namespace trine::hvm
