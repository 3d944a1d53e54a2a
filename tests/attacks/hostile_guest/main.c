// A kernel that is none: it drives every way out of its machine against the rules, and tells over the serial
// port how that went. Its command line says what it is to do.
//
//   all SEED STRIDE     the list, of which STRIDE leaves some out; in the end it notifies without end
//   random SEED STEPS   as many steps at random; the same in the end
//   beside              writes to its first disk and reads it again, and says "." each hundred times
//   disks               uses its first disk in three places, and says what becomes of it at each change
//   lend                has its console read its mapped disk, without end
//   touch               reads its mapped disk itself, without end
//   hold                has its console read all of its mapped disk, and waits for ever
//   share               attacks its shared directories
//   execute             runs what is in a device's registers
//   wide                accesses of other widths than registers have
//   fault               an exception that nobody handles
#include "machine.h"

static void break_holes_at(uint32_t address) {
  for (unsigned width = 1; width <= 4; width *= 2) {
    (void)peek(address, width);
    poke(address, width, any());
  }
}

void break_holes(void) {
  for (uint64_t address = kMemoryEnd; address < 0xd0000000; address += 0x3f01234)
    break_holes_at((uint32_t)address);
  // Behind the last device, and the windows of the most that there may be.
  for (uint32_t i = device_count; i < 80; ++i)
    break_holes_at((uint32_t)kDevices + (i * kWindow) + (4 * below(70)));
  static const uint32_t kPlaces[] = {kMemoryEnd,     0xbffffffc, 0xc0000000, 0xcffffffc,
                                     0xd0000000 - 2, 0xd0100000, 0xe0000000, 0xfec00000,
                                     0xfec00010,     0xfed00000, 0xfffbd000, 0xfffffff8};
  for (unsigned i = 0; i < sizeof kPlaces / sizeof *kPlaces; ++i)
    break_holes_at(kPlaces[i]);
  claim("addresses where nobody is", true, NULL, 0);
}

static void quiet_serial(void) {
  out8(0x3fb, 3);
  out8(0x3fc, 0);
  out8(0x3f9, 0);
}

// Not the values that end a machine, where they would.
static bool ends_machine(uint16_t port) {
  return port == 0x64 || (port >= 0x5fd && port <= 0x602);
}

void break_ports(void) {
  for (uint32_t port = 0; port < 0x10000; port += (port < 0x700 ? 1 : 257) * stride) {
    const uint16_t at = (uint16_t)port;
    (void)in8(at);
    (void)in16(at);
    (void)in32(at);
    if (at >= 0x3f5 && at <= 0x3f8)
      continue;  // it would be read as our words
    const uint32_t value = ends_machine(at) ? 0 : any();
    out8(at, (uint8_t)value);
    out16(at, (uint16_t)value);
    out32(at, value);
    if (at >= 0x3f5 && at <= 0x3ff)
      quiet_serial();
  }
  uint8_t* const place = take(4096);
  uint32_t count = 4000;
  void* to = place;
  __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"((uint16_t)0x3fd) : "memory");
  count = 1000;
  to = place;
  __asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"((uint16_t)0x3ff) : "memory");
  quiet_serial();
  claim("ports", true, NULL, 0);
}

static void step(struct device* device) {
  switch (below(12)) {
    case 0:
      return start(device);
    case 1:
      return set(device, 4 * below(0x44), any());
    case 2:
      return poke(device->base + below(0x120), 1U << below(3), any() >> below(32));
    case 3:
      (void)peek(device->base + below(0x200), 1U << below(3));
      return;
    case 4:
      return reset(device);
    case 5:
      return set(device, kStatus, below(256));
    case 6:
      return set(device, kQueueNotify, below(5));
    case 7:
      return poke(descriptors_of(device, below(device->queues)) + below(0x2100), 2, below(64));
    default:
      break;
  }
  const unsigned queue = below(4) == 0 ? below(device->queues) : device->main;
  const unsigned index = below(kQueueSize - 1);
  uint32_t* const buffer = (uint32_t*)take(4096 * below(20) + 64);
  for (unsigned i = 0; i < 12; ++i)
    buffer[i] = below(3) == 0 ? any() : below(48);
  put(device, queue, index,
      (struct descriptor){(uint32_t)buffer, 1 + below(6000), below(8) == 0 ? (uint16_t)below(8) : kNext,
                          (uint16_t)(index + 1)});
  put(device, queue, index + 1,
      (struct descriptor){(uint32_t)buffer + below(4096), below(16) == 0 ? any() : 1 + below(3) * 512, kWrite,
                          (uint16_t)index});
  offer(device, queue, (uint16_t)index);
  notify(device, queue);
}

void break_at_random(uint32_t steps) {
  for (uint32_t i = 0; i < steps; ++i)
    step(&devices[below(device_count)]);
  for (unsigned i = 0; i < device_count; ++i)
    reset(&devices[i]);
  claim("steps at random", true, NULL, 0);
}

static uint32_t number_of(const char** text) {
  uint32_t number = 0;
  while (**text == ' ')
    ++*text;
  for (; **text >= '0' && **text <= '9'; ++*text)
    number = (number * 10) + (uint32_t)(**text - '0');
  return number;
}

// Until it is ended from outside, in a storm of notifications.
static void finish(void) {
  for (unsigned i = 0; i < device_count; ++i)
    check(&devices[i]);
  say("finished\n");
  for (;;) {
    for (unsigned i = 0; i < device_count; ++i)
      notify(&devices[i], below(3));
  }
}

static void do_all(const char* words) {
  seed(number_of(&words));
  stride = number_of(&words);
  for (unsigned i = 0; i < device_count; ++i) {
    break_transport(&devices[i]);
    break_queues(&devices[i]);
    reset_in_flight(&devices[i]);
    break_requests(&devices[i]);
    check(&devices[i]);
  }
  break_holes();
  break_ports();
  finish();
}

static void do_random(const char* words) {
  seed(number_of(&words));
  break_at_random(number_of(&words));
  finish();
}

static void stay_beside(void) {
  start(&devices[0]);
  for (uint32_t round = 1;; ++round) {
    if (!write_and_read(&devices[0], round % 64, (uint8_t)round)) {
      claim("its disk is what it wrote", false, &devices[0], round);
      return;
    }
    if (round % 100 == 0)
      say(".");
  }
}

static void say_changed(const char* what, uint8_t* last, uint8_t now) {
  if (*last == now)
    return;
  *last = now;
  say(what);
  say_number(now);
  say("\n");
}

// Of 16 MiB: the first half is written and read, the second is only read, from its end.
static void use_disks(void) {
  enum { kRead = 0, kWriteType = 1, kFlush = 4, kSectors = 32768, kPage = 8 };
  uint8_t near = 0xff, far = 0xff, write = 0xff, flush = 0xff;
  start(&devices[0]);
  for (uint32_t round = 0;; ++round) {
    say_changed("near ", &near, write_and_read(&devices[0], 7, 'F') ? 0 : 1);
    say_changed("flush ", &flush, ask_disk(&devices[0], kFlush, 0, 0, 0));
    say_changed("far ", &far, ask_disk(&devices[0], kRead, kSectors - 1, 0, 512));
    const uint32_t sector = kPage * (1 + (round % (kSectors / 2 / kPage - 1)));
    say_changed("write ", &write, ask_disk(&devices[0], kWriteType, sector, 4096, 0));
  }
}

static void do_share(void) {
  for (unsigned i = 0; i < device_count; ++i) {
    if (devices[i].type == kFs)
      attack_share(&devices[i]);
  }
  say("\nfinished\n");
  for (;;)
    __asm__ volatile("hlt");
}

static void access_wide(void) {
  uint32_t words[4] = {0};
  for (uint32_t offset = 0; offset < 0x110; offset += 2) {
    __asm__ volatile("movq (%0), %%mm0\n movq %%mm0, (%0)" : : "r"((uint32_t)kDevices + offset) : "memory");
  }
  // Over the bound of two windows, and into the first from where nobody is.
  __asm__ volatile("movq (%0), %%mm0\n movq %%mm0, (%1)" : : "r"(0xd0000ffc), "r"(words) : "memory");
  __asm__ volatile("movq (%0), %%mm0\n movq %%mm0, (%0)" : : "r"(0xcffffffc) : "memory");
  uint32_t count = 0x2000;
  uint32_t from = 0xd0000000;
  void* to = (void*)kPool;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  say("finished\n");
}

__attribute__((noreturn)) void run(const char* words) {
  find_devices();
  switch (words[0]) {
    case 'r':
      do_random(words + 6);
      break;
    case 'a':
      do_all(words + 3);
      break;
    case 'b':
      stay_beside();
      break;
    case 'c':
      for (;;)
        __asm__ volatile("hlt");
    case 'd':
      use_disks();
      break;
    case 'h':
      hold_mapped_disk();
      break;
    case 'l':
      lend_mapped_disk();
      break;
    case 't':
      touch_mapped_disk();
      break;
    case 's':
      do_share();
      break;
    case 'e':
      ((void (*)(void))0xd0000000)();
      break;
    case 'w':
      access_wide();
      break;
    default:
      __asm__ volatile("ud2");
  }
  for (;;) {
    out8(0x600, 0x34);  // power off
    __asm__ volatile("hlt");
  }
}
