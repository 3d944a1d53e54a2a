// What the parts of the hostile guest share. It is entered by PVH and stays there: 32-bit protected mode,
// flat, without paging or interrupts, with 64 MiB of memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  kMemoryEnd = 0x4000000,
  kRings = 0x800000,  // a queue's rings each kRingBytes
  kRingBytes = 0x4000,
  kPool = 0x1000000,  // for buffers, to the end of memory
  kDevices = 0xd0000000 - 0x100000000,
  kWindow = 0x1000,
  kMostDevices = 16,
  kMostQueues = 16,
  kQueueSize = 16,
};

// Registers, status and descriptor flags. Source: virtio 1.2 2.1, 2.7.5, 4.2.2.
enum {
  kMagic = 0x00,
  kDeviceId = 0x08,
  kDeviceFeatures = 0x10,
  kDeviceFeaturesSelect = 0x14,
  kDriverFeatures = 0x20,
  kDriverFeaturesSelect = 0x24,
  kQueueSelect = 0x30,
  kQueueSizeMost = 0x34,
  kQueueSizeRegister = 0x38,
  kQueueReady = 0x44,
  kQueueNotify = 0x50,
  kInterruptStatus = 0x60,
  kInterruptAcknowledge = 0x64,
  kStatus = 0x70,
  kDescriptorsLow = 0x80,
  kAvailableLow = 0x90,
  kUsedLow = 0xa0,
  kConfig = 0x100,

  kAcknowledged = 1,
  kDriver = 2,
  kDriverOk = 4,
  kFeaturesOk = 8,
  kNeedsReset = 64,

  kNext = 1,
  kWrite = 2,
  kIndirect = 4,
};

enum { kNet = 1, kBlock = 2, kConsole = 3, kRandom = 4, kBalloon = 5, kVsock = 19, kFs = 26, kPmem = 27 };

struct descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};

struct device {
  uint32_t base;
  uint32_t type;
  unsigned index;
  unsigned queues;
  unsigned main;                    // the queue whose chains are looked at when it is notified
  uint16_t available[kMostQueues];  // as far as chains were offered
};

extern struct device devices[kMostDevices];
extern unsigned device_count;
// Of what is done often or at every place, each so manieth: 1 is all.
extern uint32_t stride;

// Ways out of the guest.

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out16(uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint16_t in16(uint16_t port) {
  uint16_t value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint32_t in32(uint16_t port) {
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint64_t ticks(void) {
  uint64_t value;
  __asm__ volatile("rdtsc" : "=A"(value));
  return value;
}

// Of 1, 2 or 4 bytes, whatever is there.
uint32_t peek(uint32_t address, unsigned width);
void poke(uint32_t address, unsigned width, uint32_t value);

void say(const char* text);
void say_number(uint32_t number);
// A line "yes CLAIM" or "no CLAIM: DEVICE DETAIL", for the test to read.
void claim(const char* text, bool holds, const struct device* device, uint32_t detail);

void* memset(void* place, int value, size_t count);
void* memcpy(void* to, const void* from, size_t count);

// The same numbers for the same seed.
void seed(uint32_t value);
uint32_t any(void);
static inline uint32_t below(uint32_t end) {
  return any() % end;
}

// A driver.

void find_devices(void);
static inline uint32_t get(const struct device* device, uint32_t offset) {
  return *(volatile uint32_t*)(device->base + offset);
}
static inline void set(const struct device* device, uint32_t offset, uint32_t value) {
  *(volatile uint32_t*)(device->base + offset) = value;
}
static inline void set_address(const struct device* device, uint32_t offset, uint64_t address) {
  set(device, offset, (uint32_t)address);
  set(device, offset + 4, (uint32_t)(address >> 32));
}

// Everything a good driver does up to DRIVER_OK, or up to FEATURES_OK alone.
void start(struct device* device);
void agree(struct device* device);
void describe_queue(struct device* device, unsigned queue, uint32_t size);
static inline void reset(struct device* device) {
  set(device, kStatus, 0);
}

uint32_t descriptors_of(const struct device* device, unsigned queue);
uint32_t available_of(const struct device* device, unsigned queue);
uint32_t used_of(const struct device* device, unsigned queue);
void put(struct device* device, unsigned queue, unsigned index, struct descriptor descriptor);
void offer(struct device* device, unsigned queue, uint16_t head);
static inline void notify(const struct device* device, unsigned queue) {
  set(device, kQueueNotify, queue);
}
uint16_t used_index(const struct device* device, unsigned queue);

// What a device does meanwhile is its loop's, on another processor: these wait for it, long.
bool becomes_broken(const struct device* device);
// A chain of `out` and `in` bytes, either of which may be 0, offered and notified: true once it was used.
bool request(struct device* device, unsigned queue, const void* out, uint32_t out_bytes, void* in,
             uint32_t in_bytes);
// A chain in pieces: each byte of `out` in a buffer of its own as far as the table goes.
void send_in_pieces(struct device* device, unsigned queue, const uint8_t* out, uint32_t bytes);
// Whatever it is, it is answered, or the device says that it is broken.
bool settles(struct device* device, unsigned queue);
// A buffer of this size in the pool; in time it is another's.
uint8_t* take(uint32_t bytes);

// The parts.

// What start.S calls with the machine's command line.
__attribute__((noreturn)) void run(const char* words);
void break_transport(struct device* device);
void break_queues(struct device* device);
void reset_in_flight(struct device* device);
void break_requests(struct device* device);
void break_mapped_disk(struct device* device);
// Lets the console read a mapped disk, without end.
void lend_mapped_disk(void);
// Reads a mapped disk by its own processor, without end.
void touch_mapped_disk(void);
// Lets the console read all of a mapped disk, and waits for ever.
void hold_mapped_disk(void);
void break_holes(void);
void break_ports(void);
void break_at_random(uint32_t steps);
bool begin_share(struct device* share);
bool knows(struct device* share, const char* name);
void break_share(struct device* share);
// A share's attacks that need the host to look on, or to play along.
void attack_share(struct device* share);
// That it still does what it is for.
void check(struct device* device);
// A disk's status for a request of this type, with so many bytes of anything; 0xfe when there is none.
uint8_t ask_disk(struct device* disk, uint32_t type, uint64_t sector, uint32_t out_bytes, uint32_t in_bytes);
bool write_and_read(struct device* disk, uint32_t sector, uint8_t value);
