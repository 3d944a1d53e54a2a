// Ways out, words to the test, and the driver that keeps the rules.
#include "machine.h"

struct device devices[kMostDevices];
unsigned device_count;
uint32_t stride = 1;

uint32_t peek(uint32_t address, unsigned width) {
  if (width == 1)
    return *(volatile uint8_t*)address;
  if (width == 2)
    return *(volatile uint16_t*)address;
  return *(volatile uint32_t*)address;
}

void poke(uint32_t address, unsigned width, uint32_t value) {
  if (width == 1)
    *(volatile uint8_t*)address = (uint8_t)value;
  else if (width == 2)
    *(volatile uint16_t*)address = (uint16_t)value;
  else
    *(volatile uint32_t*)address = value;
}

void say(const char* text) {
  enum { kSerial = 0x3f8 };
  for (; *text != '\0'; ++text)
    out8(kSerial, (uint8_t)*text);
}

void say_number(uint32_t number) {
  char text[] = "0x00000000";
  for (int i = 9; i > 1; --i, number >>= 4)
    text[i] = "0123456789abcdef"[number & 15];
  say(text);
}

static const char* name_of(uint32_t type) {
  switch (type) {
    case kNet:
      return "net";
    case kBlock:
      return "block";
    case kConsole:
      return "console";
    case kRandom:
      return "rng";
    case kBalloon:
      return "balloon";
    case kVsock:
      return "vsock";
    case kFs:
      return "fs";
    case kPmem:
      return "pmem";
    default:
      return "device";
  }
}

void claim(const char* text, bool holds, const struct device* device, uint32_t detail) {
  say(holds ? "\nyes " : "\nno ");
  say(text);
  if (device != NULL) {
    say(" (");
    say(name_of(device->type));
    say(")");
  }
  if (!holds) {
    say(": ");
    say_number(detail);
  }
  say("\n");
}

// In words: where a host imitates the processor each step takes its time.
void* memset(void* place, int value, size_t count) {
  void* const begin = place;
  size_t words = count / 4;
  count %= 4;
  __asm__ volatile("rep stosl" : "+D"(place), "+c"(words) : "a"((value & 0xff) * 0x01010101U) : "memory");
  __asm__ volatile("rep stosb" : "+D"(place), "+c"(count) : "a"(value) : "memory");
  return begin;
}

void* memcpy(void* to, const void* from, size_t count) {
  void* const begin = to;
  size_t words = count / 4;
  count %= 4;
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return begin;
}

static uint32_t state = 1;

void seed(uint32_t value) {
  state = value == 0 ? 1 : value;
}

uint32_t any(void) {  // xorshift32
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static unsigned main_queue(uint32_t type) {
  return type == kNet || type == kConsole || type == kVsock || type == kFs ? 1 : 0;
}

void find_devices(void) {
  for (unsigned i = 0; i < kMostDevices; ++i) {
    struct device* const device = &devices[device_count];
    device->base = (uint32_t)kDevices + (i * kWindow);
    if (get(device, kMagic) != 0x74726976)
      break;
    device->type = get(device, kDeviceId);
    device->index = i;
    device->main = main_queue(device->type);
    for (device->queues = 0; device->queues < kMostQueues; ++device->queues) {
      set(device, kQueueSelect, device->queues);
      if (get(device, kQueueSizeMost) == 0)
        break;
    }
    ++device_count;
  }
}

void agree(struct device* device) {
  reset(device);
  memset(device->available, 0, sizeof device->available);
  set(device, kStatus, kAcknowledged | kDriver);
  for (unsigned word = 0; word < 2; ++word) {
    set(device, kDeviceFeaturesSelect, word);
    set(device, kDriverFeaturesSelect, word);
    set(device, kDriverFeatures, get(device, kDeviceFeatures));
  }
  set(device, kStatus, kAcknowledged | kDriver | kFeaturesOk);
}

uint32_t descriptors_of(const struct device* device, unsigned queue) {
  return kRings + (((device->index * kMostQueues) + queue) * kRingBytes);
}
uint32_t available_of(const struct device* device, unsigned queue) {
  return descriptors_of(device, queue) + 0x1000;
}
uint32_t used_of(const struct device* device, unsigned queue) {
  return descriptors_of(device, queue) + 0x2000;
}

void describe_queue(struct device* device, unsigned queue, uint32_t size) {
  memset((void*)descriptors_of(device, queue), 0, kQueueSize * sizeof(struct descriptor));
  memset((void*)available_of(device, queue), 0, 64);
  memset((void*)used_of(device, queue), 0, 256);
  set(device, kQueueSelect, queue);
  set(device, kQueueSizeRegister, size);
  set_address(device, kDescriptorsLow, descriptors_of(device, queue));
  set_address(device, kAvailableLow, available_of(device, queue));
  set_address(device, kUsedLow, used_of(device, queue));
}

void start(struct device* device) {
  agree(device);
  for (unsigned queue = 0; queue < device->queues; ++queue) {
    describe_queue(device, queue, kQueueSize);
    set(device, kQueueReady, 1);
  }
  set(device, kStatus, kAcknowledged | kDriver | kFeaturesOk | kDriverOk);
}

void put(struct device* device, unsigned queue, unsigned index, struct descriptor descriptor) {
  ((volatile struct descriptor*)descriptors_of(device, queue))[index] = descriptor;
}

void offer(struct device* device, unsigned queue, uint16_t head) {
  volatile uint16_t* const available = (volatile uint16_t*)available_of(device, queue);
  available[2 + (device->available[queue] % kQueueSize)] = head;
  __asm__ volatile("" : : : "memory");
  available[1] = ++device->available[queue];
}

uint16_t used_index(const struct device* device, unsigned queue) {
  return ((volatile uint16_t*)used_of(device, queue))[1];
}

static const uint64_t kLong = 60000000000;  // half a minute of any processor: only a failure takes it

bool becomes_broken(const struct device* device) {
  const uint64_t begin = ticks();
  while ((get(device, kStatus) & kNeedsReset) == 0) {
    if (ticks() - begin > kLong)
      return false;
  }
  return true;
}

bool request(struct device* device, unsigned queue, const void* out, uint32_t out_bytes, void* in,
             uint32_t in_bytes) {
  const uint16_t before = used_index(device, queue);
  if (out_bytes > 0) {
    put(device, queue, 0,
        (struct descriptor){
            .address = (uint32_t)out, .length = out_bytes, .flags = in_bytes > 0 ? kNext : 0, .next = 1});
  }
  if (in_bytes > 0) {
    put(device, queue, out_bytes > 0 ? 1 : 0,
        (struct descriptor){.address = (uint32_t)in, .length = in_bytes, .flags = kWrite});
  }
  offer(device, queue, 0);
  notify(device, queue);
  const uint64_t begin = ticks();
  while (used_index(device, queue) == before) {
    if (ticks() - begin > kLong || (get(device, kStatus) & kNeedsReset) != 0)
      return false;
  }
  __asm__ volatile("" : : : "memory");
  return true;
}

uint8_t* take(uint32_t bytes) {
  static uint32_t next = kPool;
  if (next + bytes > kMemoryEnd)
    next = kPool;
  uint8_t* const buffer = (uint8_t*)next;
  next += (bytes + 15) & ~15U;
  return buffer;
}
