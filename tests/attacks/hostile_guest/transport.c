// Registers, status, queues and chains against the rules: each of them breaks the device, or nothing.
#include "machine.h"

// A rule that is broken has to be seen, whatever the device, and a reset has to be the cure.
static void expect_broken(struct device* device, const char* what, uint32_t detail) {
  const bool is_broken = becomes_broken(device);
  reset(device);
  const bool is_cured = get(device, kStatus) == 0;
  if (!is_broken)
    claim(what, false, device, detail);
  if (!is_cured)
    claim("a reset is the cure", false, device, detail);
}

// Every register, also those that there are not, of every width and at odd places.
static void sweep_registers(const struct device* device) {
  static const uint32_t kValues[] = {0, 1, 0xffffffff, 0x80000000};
  for (uint32_t offset = below(stride); offset < 0x110; offset += stride) {
    for (unsigned width = 1; width <= 4; width *= 2) {
      (void)peek(device->base + offset, width);
      if (offset != kStatus || width != 4)
        poke(device->base + offset, width, kValues[below(4)]);
    }
  }
  // The configuration's end, the window's, and what belongs to two windows.
  for (uint32_t offset = kWindow - 8; offset < kWindow; ++offset) {
    (void)peek(device->base + offset, 4);
    poke(device->base + offset, 4, any());
  }
}

static void sweep_in_every_state(struct device* device) {
  reset(device);
  sweep_registers(device);
  set(device, kStatus, kAcknowledged);
  sweep_registers(device);
  agree(device);
  sweep_registers(device);
  start(device);
  sweep_registers(device);
  put(device, device->main, 0, (struct descriptor){.address = 0, .length = 0});
  offer(device, device->main, 0);
  notify(device, device->main);
  sweep_registers(device);
  reset(device);
}

static void break_status(struct device* device) {
  static const uint32_t kWords[] = {4, 15, 12, 0xff, 64, 128, 0xffffffff, 8, 2, 0x8f};
  for (unsigned i = 0; i < sizeof kWords / sizeof *kWords; ++i) {
    reset(device);
    set(device, kStatus, kWords[i]);
    notify(device, 0);
    for (unsigned j = 0; j < sizeof kWords / sizeof *kWords; ++j)
      set(device, kStatus, kWords[j]);
  }
  // Live without a queue.
  agree(device);
  set(device, kStatus, 15);
  for (unsigned queue = 0; queue < 6; ++queue)
    notify(device, queue);

  reset(device);
  set(device, kStatus, kAcknowledged | kDriver);
  for (unsigned word = 0; word < 4; ++word) {
    set(device, kDriverFeaturesSelect, word);
    set(device, kDriverFeatures, 0xffffffff);
  }
  set(device, kStatus, kAcknowledged | kDriver | kFeaturesOk | kDriverOk);
  if ((get(device, kStatus) & (kFeaturesOk | kDriverOk)) != 0)
    claim("features that were not offered are refused", false, device, get(device, kStatus));
  reset(device);
}

static void break_sizes(struct device* device) {
  static const uint32_t kSizes[] = {0, 3, 17, 255, 257, 512, 0x8000, 0xffff, 0x10000, 0x10010, 0x80000000};
  for (unsigned i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
    agree(device);
    describe_queue(device, 0, kSizes[i]);
    set(device, kQueueReady, 1);
    expect_broken(device, "a queue of an impossible size", kSizes[i]);
  }
  agree(device);
  for (uint32_t queue = device->queues; queue != 0; queue *= 2) {  // queues that there are not
    set(device, kQueueSelect, queue);
    set(device, kQueueSizeRegister, 16);
    set(device, kQueueReady, 1);
    if (get(device, kQueueReady) != 0)
      claim("a queue that there is not", false, device, queue);
  }
}

static void break_addresses(struct device* device) {
  static const uint64_t kAddresses[] = {kMemoryEnd,         kMemoryEnd - 16, 0xd0000000,
                                        0xfffffff0,         0x100000000,     0xfffffffffffffff0,
                                        0x8000000000000000, kRings + 1,      0xfee00000};
  for (uint32_t part = kDescriptorsLow; part <= kUsedLow; part += 0x10) {
    for (unsigned i = 0; i < sizeof kAddresses / sizeof *kAddresses; ++i) {
      agree(device);
      describe_queue(device, 0, kQueueSize);
      set_address(device, part, kAddresses[i]);
      set(device, kQueueReady, 1);
      expect_broken(device, "a queue outside of memory", part + i);
    }
  }
  // All three in one place is allowed, and nothing that is said there makes sense.
  agree(device);
  describe_queue(device, device->main, kQueueSize);
  set_address(device, kAvailableLow, descriptors_of(device, device->main));
  set_address(device, kUsedLow, descriptors_of(device, device->main));
  set(device, kQueueReady, 1);
  set(device, kStatus, 15);
  for (unsigned i = 0; i < 64; ++i) {
    poke(descriptors_of(device, device->main) + below(256), 4, any());
    notify(device, device->main);
  }
  reset(device);
}

void break_transport(struct device* device) {
  sweep_in_every_state(device);
  break_status(device);
  break_sizes(device);
  break_addresses(device);
  claim("registers, status, sizes and addresses", true, device, 0);
}

struct wrong {
  const char* what;
  struct descriptor first, second;
  uint16_t head;
  uint16_t jump;  // of the index, beyond the one chain
};

static const struct wrong kWrongs[] = {
    {.what = "a head beyond the table", .first = {.address = kPool, .length = 64}, .head = kQueueSize},
    {.what = "a head far beyond the table", .first = {.address = kPool, .length = 64}, .head = 0xffff},
    {.what = "a next beyond the table", .first = {kPool, 64, kNext, 16}},
    {.what = "a chain of itself", .first = {kPool, 64, kNext, 0}},
    {.what = "a loop of two", .first = {kPool, 64, kNext, 1}, .second = {kPool, 64, kNext, 0}},
    {.what = "an indirect table that is in itself", .first = {kPool, 32, kIndirect, 0}},
    {.what = "an indirect table that goes on", .first = {kPool, 32, kIndirect | kNext, 1}},
    {.what = "all flags", .first = {kPool, 64, 0xffff, 1}},
    {.what = "an empty buffer", .first = {kPool, 0, 0, 0}},
    {.what = "a buffer behind memory", .first = {kMemoryEnd, 1, kWrite, 0}},
    {.what = "a buffer over memory's end", .first = {kMemoryEnd - 1, 2, kWrite, 0}},
    {.what = "a buffer that wraps around", .first = {0xffffffffffffff00, 0x200, kWrite, 0}},
    {.what = "a buffer of 4 GiB", .first = {kPool, 0xffffffff, kWrite, 0}},
    {.what = "a buffer of registers", .first = {0xd0000000, 16, kWrite, 0}},
    {.what = "a second buffer that is no memory",
     .first = {kPool, 64, kNext, 1},
     .second = {0xc0000000, 4, kWrite, 0}},
    {.what = "a buffer to read behind one to write",
     .first = {kPool, 64, kWrite | kNext, 1},
     .second = {kPool, 64, 0, 0}},
    {.what = "an index that jumps", .first = {kPool, 64, 0, 0}, .jump = 100},
    {.what = "an index that goes back", .first = {kPool, 64, 0, 0}, .jump = 0xfff0},
};

void break_queues(struct device* device) {
  for (unsigned i = 0; i < sizeof kWrongs / sizeof *kWrongs; ++i) {
    const struct wrong* const wrong = &kWrongs[i];
    start(device);
    *(volatile struct descriptor*)kPool =
        (struct descriptor){.address = kPool, .length = 32, .flags = kIndirect};
    put(device, device->main, 0, wrong->first);
    put(device, device->main, 1, wrong->second);
    device->available[device->main] = (uint16_t)(device->available[device->main] + wrong->jump);
    offer(device, device->main, wrong->head);
    notify(device, device->main);
    expect_broken(device, wrong->what, i);
  }
  // While it is live its queues are what they were.
  start(device);
  set(device, kQueueSelect, device->main);
  set_address(device, kDescriptorsLow, 0xd0000000);
  set(device, kQueueSizeRegister, 3);
  set(device, kQueueReady, 0);
  if (get(device, kQueueReady) != 1)
    claim("queues are frozen", false, device, 0);
  for (unsigned i = 0; i < 2000 / stride; ++i)
    set(device, kQueueNotify, i % 3 == 0 ? any() : i % (device->queues + 2));
  // Ones that the device writes, written by the driver.
  for (unsigned i = 0; i < 64; ++i) {
    poke(used_of(device, device->main) + (2 * below(70)), 2, any());
    notify(device, device->main);
  }
  reset(device);
  claim("descriptors, rings and notifications", true, device, 0);
}

void reset_in_flight(struct device* device) {
  for (unsigned round = 0; round < 1 + (29 / stride); ++round) {
    start(device);
    for (unsigned i = 0; i < kQueueSize / 2; ++i) {
      // As requests for a disk: a header that says to read or write, much data, a status.
      uint32_t* const header = (uint32_t*)take(65536 + 64);
      header[0] = device->type == kFs ? 65536 : below(2);
      header[1] = device->type == kFs ? 26 : 0;  // FUSE_INIT
      header[2] = below(64);
      header[3] = 0;
      put(device, device->main, 2 * i,
          (struct descriptor){.address = (uint32_t)header,
                              .length = 16 + (512 * below(120)),
                              .flags = kNext,
                              .next = (uint16_t)((2 * i) + 1)});
      put(device, device->main, (2 * i) + 1,
          (struct descriptor){
              .address = (uint32_t)header, .length = 1 + (512 * below(120)), .flags = kWrite});
      offer(device, device->main, (uint16_t)(2 * i));
    }
    notify(device, device->main);
    if (round % 3 == 0)
      (void)get(device, kInterruptStatus);
    reset(device);
    memset((void*)descriptors_of(device, device->main), (int)any(), 128);
  }
  claim("a reset while requests are under way", true, device, 0);
}
