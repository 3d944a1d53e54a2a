// A disk that lies in the guest's address space, which everybody reads and nobody writes.
#include "machine.h"

// Where it is, and how large. Source: virtio 1.2 5.19.4.
static uint64_t begin_of(const struct device* device) {
  return get(device, kConfig) | ((uint64_t)get(device, kConfig + 4) << 32);
}
static uint64_t bytes_of(const struct device* device) {
  return get(device, kConfig + 8) | ((uint64_t)get(device, kConfig + 12) << 32);
}

void break_mapped_disk(struct device* device) {
  const uint64_t begin = begin_of(device), end = begin + bytes_of(device);
  const struct wrong {
    const char* what;
    struct descriptor buffer;
  } kWrongs[] = {
      {"a mapped disk that is to be written", {begin, 4, kWrite, 0}},
      {"its last byte", {end - 1, 1, kWrite, 0}},
      {"a buffer from before it into it", {begin - 2, 4, 0, 0}},
      {"a buffer over its end", {end - 2, 4, 0, 0}},
      {"a buffer behind it", {end, 4, 0, 0}},
      {"a buffer that wraps around to it", {begin + 4, 0xffffffff, 0, 0}},
  };
  for (unsigned i = 0; i < sizeof kWrongs / sizeof *kWrongs; ++i) {
    start(device);
    put(device, 0, 0, kWrongs[i].buffer);
    offer(device, 0, 0);
    notify(device, 0);
    if (!becomes_broken(device))
      claim(kWrongs[i].what, false, device, i);
  }
  // A queue in it, in which the device would write.
  for (uint32_t part = kDescriptorsLow; part <= kUsedLow; part += 0x10) {
    agree(device);
    describe_queue(device, 0, kQueueSize);
    set_address(device, part, begin);
    set(device, kQueueReady, 1);
    if (!becomes_broken(device))
      claim("a queue in a mapped disk", false, device, part);
  }
  // A request in it is one like others; what it asks for is unknown.
  start(device);
  uint32_t* const answer = (uint32_t*)take(16);
  *answer = 77;
  put(device, 0, 0, (struct descriptor){begin, 4, kNext, 1});
  put(device, 0, 1, (struct descriptor){(uint32_t)answer, 4, kWrite, 0});
  offer(device, 0, 0);
  notify(device, 0);
  if (!settles(device, 0) || *(volatile uint32_t*)answer > 1)
    claim("a request that lies in a mapped disk", false, device, *answer);
}

static struct device* find(uint32_t type) {
  for (unsigned i = 0; i < device_count; ++i) {
    if (devices[i].type == type)
      return &devices[i];
  }
  claim("there is a device of the type", false, NULL, type);
  return NULL;
}

// Has the console read a part of the disk.
static void lend(struct device* console, uint64_t begin, uint32_t bytes) {
  put(console, 1, 0, (struct descriptor){begin, bytes, 0, 0});
  offer(console, 1, 0);
  notify(console, 1);
  (void)settles(console, 1);
}

void lend_mapped_disk(void) {
  enum { kFar = 0x10000 };
  const struct device* const disk = find(kPmem);
  struct device* const console = find(kConsole);
  if (disk == NULL || console == NULL)
    return;
  start(console);
  for (uint32_t offset = 0;; offset = kFar)
    lend(console, begin_of(disk) + offset, 16);
}

void hold_mapped_disk(void) {
  enum { kMost = 16384 };  // the console reads no more of a buffer
  const struct device* const disk = find(kPmem);
  struct device* const console = find(kConsole);
  if (disk == NULL || console == NULL)
    return;
  start(console);
  for (uint64_t offset = 0; offset < bytes_of(disk); offset += kMost)
    lend(console, begin_of(disk) + offset, kMost);
  for (;;)
    __asm__ volatile("hlt");
}
