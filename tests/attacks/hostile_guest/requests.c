// Requests that their queue carries whole, and that make no sense to the device; and those that do.
#include "machine.h"

enum { kSector = 512 };

void send_in_pieces(struct device* device, unsigned queue, const uint8_t* out, uint32_t bytes) {
  unsigned index = 0;
  for (; index < kQueueSize - 2 && index + 1 < bytes; ++index) {
    put(device, queue, index,
        (struct descriptor){
            .address = (uint32_t)(out + index), .length = 1, .flags = kNext, .next = (uint16_t)(index + 1)});
  }
  put(device, queue, index,
      (struct descriptor){.address = (uint32_t)(out + index),
                          .length = bytes - index,
                          .flags = kNext,
                          .next = (uint16_t)(index + 1)});
  put(device, queue, index + 1,
      (struct descriptor){.address = (uint32_t)take(64), .length = 1, .flags = kWrite});
  offer(device, queue, 0);
  notify(device, queue);
}

bool settles(struct device* device, unsigned queue) {
  const uint64_t begin = ticks();
  while (used_index(device, queue) != device->available[queue]) {
    if ((get(device, kStatus) & kNeedsReset) != 0)
      return true;
    if (ticks() - begin > 60000000000)
      return false;
  }
  return true;
}

struct disk_header {
  uint32_t type;
  uint32_t reserved;
  uint64_t sector;
};

uint8_t ask_disk(struct device* disk, uint32_t type, uint64_t sector, uint32_t out_bytes, uint32_t in_bytes) {
  const struct disk_header header = {.type = type, .sector = sector};
  uint8_t* const out = take(sizeof header + 65536);
  uint8_t* const in = take(65536 + 16);
  memcpy(out, &header, sizeof header);
  in[in_bytes] = 0xff;
  if (!request(disk, 0, out, sizeof header + out_bytes, in, in_bytes + 1))
    return 0xfe;
  return in[in_bytes];
}

static void break_disk(struct device* disk) {
  static const uint64_t kSectors[] = {0x7fffffff, 0xffffffffffffffff, 0x8000000000000000, 0x7fffffffffffffff,
                                      0x100000000};
  start(disk);
  for (unsigned i = 0; i < sizeof kSectors / sizeof *kSectors; ++i) {
    for (uint32_t type = 0; type < 2; ++type) {
      const uint8_t status =
          ask_disk(disk, type, kSectors[i], type == 1 ? kSector : 0, type == 0 ? kSector : 0);
      if (status != 1)
        claim("a sector beyond the disk is an error", false, disk, status);
    }
  }
  for (uint32_t type = 2; type < 300; type += stride) {
    const uint8_t status = ask_disk(disk, type, 0, below(600), below(600));
    const bool is_known = type == 4 || type == 8;
    if (!is_known && status != 2)
      claim("an unknown request is unsupported", false, disk, type);
  }
  for (uint32_t odd = 1; odd < kSector; odd += 73) {
    if (ask_disk(disk, 1, 0, odd, 0) != 1)
      claim("a part of a sector is an error", false, disk, odd);
  }
  start(disk);
  uint8_t* const header = take(sizeof(struct disk_header));
  memset(header, 0, sizeof(struct disk_header));
  send_in_pieces(disk, 0, header, sizeof(struct disk_header));
  if (!settles(disk, 0))
    claim("a header in pieces", false, disk, 0);
  start(disk);
  if (request(disk, 0, header, 15, take(16), 1))
    claim("a header that is cut is none", false, disk, 0);
  start(disk);
  if (request(disk, 0, header, 16, NULL, 0))
    claim("a request without room for its status", false, disk, 0);
  // All of memory, many times over, in one request.
  start(disk);
  put(disk, 0, 0, (struct descriptor){.address = (uint32_t)header, .length = 16, .flags = kNext, .next = 1});
  for (unsigned i = 1; i < kQueueSize; ++i) {
    put(disk, 0, i,
        (struct descriptor){.address = kPool,
                            .length = kMemoryEnd - kPool,
                            .flags = (uint16_t)(kWrite | (i + 1 < kQueueSize ? kNext : 0)),
                            .next = (uint16_t)(i + 1)});
  }
  offer(disk, 0, 0);
  notify(disk, 0);
  if (!settles(disk, 0))
    claim("a request for 768 MiB", false, disk, 0);
}

bool write_and_read(struct device* disk, uint32_t sector, uint8_t value) {
  uint8_t* const out = take(sizeof(struct disk_header) + kSector);
  uint8_t* const in = take(kSector + 1);
  const struct disk_header write = {.type = 1, .sector = sector}, read = {.type = 0, .sector = sector};
  memcpy(out, &write, sizeof write);
  memset(out + sizeof write, value, kSector);
  in[0] = 0xff;
  if (!request(disk, 0, out, sizeof write + kSector, in, 1) || in[0] != 0)
    return false;
  memcpy(out, &read, sizeof read);
  memset(in, ~value, kSector + 1);
  if (!request(disk, 0, out, sizeof read, in, kSector + 1) || in[kSector] != 0)
    return false;
  for (unsigned i = 0; i < kSector; ++i) {
    if (in[i] != value)
      return false;
  }
  return true;
}

static bool is_read_only(const struct device* disk) {
  enum { kReadOnly = 1 << 5 };
  set(disk, kDeviceFeaturesSelect, 0);
  return (get(disk, kDeviceFeatures) & kReadOnly) != 0;
}

// The answer to a command by the last queue: 0 is yes, 1 is no, 0xfe is none.
static uint8_t ask_net(struct device* nic, const uint8_t* command, uint32_t bytes) {
  uint8_t* const place = take(80);
  memcpy(place, command, bytes);
  place[64] = 0xfe;
  return request(nic, nic->queues - 1, place, bytes, place + 64, 1) ? place[64] : 0xfe;
}

static uint8_t set_pairs(struct device* nic, uint16_t pairs) {
  const uint8_t command[] = {4, 0, (uint8_t)pairs, (uint8_t)(pairs >> 8)};
  return ask_net(nic, command, sizeof command);
}

static bool has_several_pairs(const struct device* nic) {
  return nic->queues > 2;
}

// Pairs that there are not, commands that are none, and packets by pairs that are not in use or no longer.
static void break_commands(struct device* nic) {
  const unsigned pairs = nic->queues / 2;
  start(nic);
  for (unsigned i = 0; i < 200 / stride; ++i) {
    const uint16_t wanted = (uint16_t)(i % 3 == 0 ? any() : below(pairs + 2));
    const uint8_t answer = set_pairs(nic, wanted);
    if (answer != (wanted >= 1 && wanted <= pairs ? 0 : 1))
      claim("a number of queues that is answered wrongly", false, nic, wanted << 16 | answer);
    uint8_t command[32];
    for (unsigned j = 0; j < sizeof command; ++j)
      command[j] = (uint8_t)(any() | 8);  // of no class that there is
    if (ask_net(nic, command, 1 + below(sizeof command)) != 1)
      claim("a command that is none is answered so", false, nic, command[0]);
    const unsigned queue = below(nic->queues - 1);
    put(nic, queue, 0,
        (struct descriptor){
            .address = (uint32_t)take(2048), .length = 2048, .flags = queue % 2 == 0 ? kWrite : 0});
    offer(nic, queue, 0);
    notify(nic, queue);
  }
}

static void break_net(struct device* nic) {
  enum { kHeader = 12 };
  if (has_several_pairs(nic))
    break_commands(nic);
  for (unsigned i = 0; i < 400 / stride; ++i) {
    if (i % 20 == 0)
      start(nic);
    uint8_t* const packet = take(70000);
    for (unsigned j = 0; j < 128; ++j)
      packet[j] = (uint8_t)any();
    if (i % 3 == 0)
      packet[0] = 1, packet[1] = (uint8_t)(i % 6);  // as if it were to be cut in segments
    if (!request(nic, 1, packet, i % 7 == 0 ? 1 + below(kHeader) : kHeader + below(65536 + 4000), NULL, 0))
      start(nic);
  }
  start(nic);  // buffers that are too small, and nothing but them
  for (unsigned i = 0; i < kQueueSize; ++i) {
    put(nic, 0, i, (struct descriptor){.address = (uint32_t)take(64), .length = 1 + i, .flags = kWrite});
    offer(nic, 0, (uint16_t)i);
  }
  notify(nic, 0);
}

static void break_balloon(struct device* balloon) {
  static const uint32_t kNoPages[] = {0xffffffff, kMemoryEnd / 4096, 0xd0000, 0x100000, 0x80000000};
  for (unsigned i = 0; i < sizeof kNoPages / sizeof *kNoPages; ++i) {
    start(balloon);
    uint32_t* const pages = (uint32_t*)take(4096);
    pages[0] = kPool / 4096;
    pages[1] = kNoPages[i];
    if (request(balloon, 0, pages, 8, NULL, 0))
      claim("a page that is not its own", false, balloon, pages[1]);
  }
  start(balloon);  // all it has free, twice over, and again where it is gone
  for (unsigned round = 0; round < 4; ++round) {
    uint32_t* const pages = (uint32_t*)take(16384);
    for (unsigned i = 0; i < 4096; ++i)
      pages[i] = (kPool / 4096) + below((kMemoryEnd - kPool) / 4096);
    (void)request(balloon, round % 2, pages, 16384, NULL, 0);
  }
  start(balloon);
  if (request(balloon, 0, take(16384 + 4), 16384 + 4, NULL, 0))
    claim("a list without end", false, balloon, 0);
  start(balloon);
  if (request(balloon, 0, take(16), 7, NULL, 0))
    claim("a part of a number", false, balloon, 0);
  start(balloon);  // the pages in which its rings are
  uint32_t* const own = (uint32_t*)take(64);
  own[0] = descriptors_of(balloon, 0) / 4096;
  own[1] = used_of(balloon, 0) / 4096;
  put(balloon, 0, 0, (struct descriptor){.address = (uint32_t)own, .length = 8});
  offer(balloon, 0, 0);
  notify(balloon, 0);
  for (unsigned i = 0; i < 100; ++i)
    set(balloon, kConfig + (4 * (i % 3)), any());
}

struct packet {
  uint64_t from, to;
  uint32_t from_port, to_port, length;
  uint16_t type, operation;
  uint32_t flags, room, forwarded;
} __attribute__((packed));

static bool send_packet(struct device* vsock, struct packet packet, uint32_t bytes) {
  uint8_t* const place = take(sizeof packet + bytes);
  memcpy(place, &packet, sizeof packet);
  return request(vsock, 1, place, sizeof packet + bytes, NULL, 0);
}

static void break_vsock(struct device* vsock) {
  start(vsock);
  for (unsigned i = 0; i < 1500 / stride; ++i) {
    const struct packet packet = {.from = i % 9 == 0 ? any() : 3,
                                  .to = i % 11 == 0 ? any() : 2,
                                  .from_port = below(8),
                                  .to_port = 1020 + below(8),
                                  .length = 64,
                                  .type = (uint16_t)(i % 13 == 0 ? any() : 1),
                                  .operation = (uint16_t)below(9),
                                  .flags = below(5),
                                  .room = any(),
                                  .forwarded = any()};
    if (!send_packet(vsock, packet, 64))
      start(vsock);
  }
  start(vsock);
  for (unsigned i = 0; i < 1200 / stride; ++i)  // connections that nobody closes
    (void)send_packet(vsock,
                      (struct packet){.from = 3,
                                      .to = 2,
                                      .from_port = i,
                                      .to_port = 1024,
                                      .type = 1,
                                      .operation = 1,
                                      .room = 0xffffffff},
                      0);
  for (unsigned i = 0; i < 40; ++i)  // more than there is credit for
    (void)send_packet(
        vsock,
        (struct packet){
            .from = 3, .to = 2, .from_port = 1, .to_port = 1024, .type = 1, .operation = 5, .length = 65536},
        65536);
  if (send_packet(vsock, (struct packet){.from = 3, .to = 2, .type = 1, .operation = 5, .length = 0xffffffff},
                  64))
    claim("a packet that is longer than its buffer", false, vsock, 0);
}

static void break_others(struct device* device) {
  start(device);
  // All of memory to be written to, or written out.
  for (unsigned i = 0; i < 8; ++i) {
    const uint16_t direction = device->type == kRandom ? kWrite : 0;
    put(device, device->main, i,
        (struct descriptor){.address = kPool, .length = kMemoryEnd - kPool, .flags = direction});
    offer(device, device->main, (uint16_t)i);
  }
  notify(device, device->main);
  if (!settles(device, device->main))
    claim("requests for all of memory", false, device, 0);
}

void break_requests(struct device* device) {
  switch (device->type) {
    case kBlock:
      break_disk(device);
      break;
    case kFs:
      break_share(device);
      break;
    case kNet:
      break_net(device);
      break;
    case kBalloon:
      break_balloon(device);
      break;
    case kVsock:
      break_vsock(device);
      break;
    case kPmem:
      break_mapped_disk(device);
      break;
    default:
      break_others(device);
  }
  reset(device);
  claim("requests that are none", true, device, 0);
}

static bool serves(struct device* device) {
  uint8_t* const place = take(4096);
  memset(place, 0, 4096);
  start(device);
  switch (device->type) {
    case kBlock:
      return is_read_only(device)
                 ? ask_disk(device, 0, 0, 0, kSector) == 0 && ask_disk(device, 1, 0, kSector, 0) == 1
                 : write_and_read(device, 7, (uint8_t)any());
    case kFs:
      return begin_share(device) && knows(device, "inside");
    case kNet:
      return request(device, 1, place, 12 + 60, NULL, 0) &&
             (!has_several_pairs(device) ||
              (set_pairs(device, 2) == 0 && request(device, 3, place, 12 + 60, NULL, 0)));
    case kBalloon:
      return request(device, 0, &(uint32_t){kPool / 4096}, 4, NULL, 0);
    case kRandom:
      return request(device, 0, NULL, 0, place, 64) && (place[1] | place[7] | place[40]) != 0;
    case kPmem:
      return request(device, 0, place, 4, place + 64, 4) && *(uint32_t*)(place + 64) == 0;
    case kConsole:
      return request(device, 1, "by the console\n", 15, NULL, 0);
    case kVsock:
      put(device, 0, 0, (struct descriptor){.address = (uint32_t)place, .length = 4096, .flags = kWrite});
      offer(device, 0, 0);
      return send_packet(device,
                         (struct packet){.from = 3,
                                         .to = 2,
                                         .from_port = 77,
                                         .to_port = 1024,
                                         .type = 1,
                                         .operation = 1,
                                         .room = 65536},
                         0) &&
             settles(device, 0) && ((struct packet*)place)->operation == 2;
    default:
      return true;
  }
}

void check(struct device* device) {
  claim("after all that it serves", serves(device), device, get(device, kStatus));
}
