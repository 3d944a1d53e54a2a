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

// A way to memory that 32 bits do not reach, beside all that they do: the tables of 64-bit mode, whose 32-bit
// programs go on. Source: Intel SDM 3A 4.5, 10.8.5.
static const volatile uint8_t* open_window(uint64_t address) {
  enum { kTables = 4, kEntries = 512, kShift = 21, kTable = 3, kPage = 0x83 };
  static uint64_t top[kEntries] __attribute__((aligned(4096)));
  static uint64_t tables[kEntries] __attribute__((aligned(4096)));
  static uint64_t pages[kTables * kEntries] __attribute__((aligned(4096)));
  const uint32_t window = 0x40000000, page = (1U << kShift) - 1;
  top[0] = (uint32_t)tables | kTable;
  for (uint32_t i = 0; i < kTables; ++i)
    tables[i] = (uint32_t)&pages[i * kEntries] | kTable;
  for (uint32_t i = 0; i < kTables * kEntries; ++i)
    pages[i] = (uint64_t)(i << kShift) | kPage;
  pages[window >> kShift] = (address & ~(uint64_t)page) | kPage;
  __asm__ volatile(
      "movl %%cr4, %%eax\n orl $0x20, %%eax\n movl %%eax, %%cr4\n"
      "movl %0, %%cr3\n"
      "movl $0xc0000080, %%ecx\n rdmsr\n orl $0x100, %%eax\n wrmsr\n"
      "movl %%cr0, %%eax\n orl $0x80000000, %%eax\n movl %%eax, %%cr0\n"
      :
      : "r"(top)
      : "eax", "ecx", "edx", "memory");
  return (const volatile uint8_t*)(window + ((uint32_t)address & page));
}

void touch_mapped_disk(void) {
  enum { kWord = 5, kFar = 0x10000 };
  const struct device* const disk = find(kPmem);
  if (disk == NULL)
    return;
  const volatile uint8_t* const bytes = open_window(begin_of(disk));
  char word[kWord + 2] = "";
  for (unsigned i = 0; i < kWord; ++i)
    word[i] = (char)bytes[i];
  word[kWord] = '\n';
  say(word);
  for (uint8_t last = bytes[kFar];;) {
    const uint8_t now = bytes[kFar];
    if (now != last)
      claim("a mapped disk is what it was", false, disk, now);
    last = now;
  }
}
