// A shared directory: messages and names that are none, and what a guest could do with those that are.
#include "machine.h"

// Source: Linux include/uapi/linux/fuse.h.
struct fuse_head {
  uint32_t length, operation;
  uint64_t unique, node;
  uint32_t user, group, process, padding;
};
struct fuse_answer {
  uint32_t length;
  int32_t error;
  uint64_t unique;
};
enum {
  kLookup = 1,
  kForget = 2,
  kSymlink = 6,
  kMakeNode = 8,
  kMakeDirectory = 9,
  kUnlink = 10,
  kRemoveDirectory = 11,
  kRename = 12,
  kLink = 13,
  kOpen = 14,
  kRead = 15,
  kWriteFile = 16,
  kRelease = 18,
  kInit = 26,
  kOpenDirectory = 27,
  kCreate = 35,
  kRename2 = 45,
  kForbidden = 1000,
};

// What came behind the header of the last answer.
static const uint8_t* answered;

// The error of an operation whose body is this; kForbidden when it was not answered.
static int ask_share(struct device* share, uint32_t operation, uint64_t node, const void* body,
                     uint32_t bytes) {
  uint8_t* const out = take(sizeof(struct fuse_head) + bytes);
  struct fuse_answer* const in = (struct fuse_answer*)take(8192);
  const struct fuse_head head = {
      .length = sizeof head + bytes, .operation = operation, .unique = any(), .node = node};
  memcpy(out, &head, sizeof head);
  memcpy(out + sizeof head, body, bytes);
  in->length = 0;
  answered = (const uint8_t*)(in + 1);
  if (!request(share, 1, out, sizeof head + bytes, in, 8192))
    return kForbidden;
  return in->length < sizeof *in ? kForbidden : -in->error;
}

bool begin_share(struct device* share) {
  static const uint32_t kHello[16] = {7, 36, 65536, 0xffffffff};
  start(share);
  return ask_share(share, kInit, 0, kHello, sizeof kHello) == 0;
}

// Names that are no name of a file in the directory: as such, and where an operation has two.
static void break_names(struct device* share) {
  static const char* const kNames[] = {"..", ".", "", "../outside", "/etc/passwd", "a/b", "a/../../outside",
                                       "/"};
  static const struct {
    uint32_t operation;
    uint32_t before;  // bytes that stand before the name
  } kOperations[] = {{kLookup, 0},    {kUnlink, 0},  {kRemoveDirectory, 0}, {kMakeDirectory, 8},
                     {kMakeNode, 16}, {kCreate, 16}, {kSymlink, 0},         {kRename, 8},
                     {kRename2, 16},  {kLink, 8}};
  for (unsigned i = 0; i < sizeof kOperations / sizeof *kOperations; ++i) {
    for (unsigned j = 0; j < sizeof kNames / sizeof *kNames; ++j) {
      for (unsigned second = 0; second < 2; ++second) {
        uint8_t body[160];
        memset(body, 0, sizeof body);
        uint64_t node = 1;
        memcpy(body, &node, sizeof node);
        uint8_t* place = body + kOperations[i].before;
        if (second == 1) {
          memcpy(place, "first", 6);
          place += 6;
        }
        for (const char* name = kNames[j]; *name != '\0'; ++name)
          *place++ = (uint8_t)*name;
        const int error = ask_share(share, kOperations[i].operation, 1, body, 150);
        const bool has_two = kOperations[i].operation == kRename || kOperations[i].operation == kRename2;
        if (error == 0 && (second == 0 || has_two))
          claim("a name that is none", false, share, (i << 8) + j);
      }
    }
  }
  uint8_t* const endless = take(8192);
  memset(endless, 'x', 8192);
  if (ask_share(share, kLookup, 1, endless, 300) == 0)
    claim("a name without end", false, share, 0);
  endless[4000] = 0;
  if (ask_share(share, kLookup, 1, endless, 8000) == 0)
    claim("a name of 4000", false, share, 0);
}

void break_share(struct device* share) {
  if (!begin_share(share))
    return claim("a share is begun", false, share, 0);
  break_names(share);
  // Every operation with a body that says nothing, on nodes and handles that there are not.
  for (uint32_t operation = 0; operation < 60; operation += stride) {
    for (unsigned i = 0; i < 6; ++i) {
      uint32_t body[40];
      for (unsigned j = 0; j < 40; ++j)
        body[j] = i < 2 ? 0xffffffff * i : i < 4 ? below(4) : any();
      (void)ask_share(share, operation, i == 0 ? 1 : any(), body, i == 5 ? below(160) : sizeof body);
    }
    if (!begin_share(share))
      return claim("a share goes on", false, share, operation);
  }
  // A length that lies, no room for an answer, and a request on the queue that is for others.
  struct fuse_head* const head = (struct fuse_head*)take(4096);
  memset(head, 0xff, 4096);
  (void)request(share, 1, head, 40, take(16), 1);
  start(share);
  (void)request(share, 1, head, 7, take(16), 16);
  start(share);
  send_in_pieces(share, 0, (uint8_t*)head, 64);
  if (!settles(share, 0))
    claim("a request in pieces", false, share, 0);
}

// Words that begin a body, and one or two names behind them.
struct body {
  uint32_t bytes;
  uint8_t content[600];
};
static struct body body_of(const void* words, uint32_t bytes, const char* name, const char* second) {
  struct body body = {.bytes = bytes};
  memcpy(body.content, words, bytes);
  for (const char* const* next = (const char*[]){name, second, NULL}; *next != NULL; ++next) {
    for (const char* letter = *next;; ++letter) {
      body.content[body.bytes++] = (uint8_t)*letter;
      if (*letter == '\0')
        break;
    }
  }
  return body;
}
static int ask_named(struct device* share, uint32_t operation, uint64_t node, const void* words,
                     uint32_t bytes, const char* name, const char* second) {
  const struct body body = body_of(words, bytes, name, second);
  return ask_share(share, operation, node, body.content, body.bytes);
}
static uint64_t number_at(uint32_t offset) {
  uint64_t number;
  memcpy(&number, answered + offset, sizeof number);
  return number;
}

// The node of a name; 0 when there is none.
static uint64_t look_up(struct device* share, uint64_t node, const char* name) {
  return ask_named(share, kLookup, node, NULL, 0, name, NULL) == 0 ? number_at(0) : 0;
}
bool knows(struct device* share, const char* name) {
  return look_up(share, 1, name) != 0;
}

enum { kReadWrite = 2, kRegular = 0100644, kHandleAt = 128 };  // behind what CREATE says of the file

static int create(struct device* share, uint64_t node, const char* name) {
  return ask_named(share, kCreate, node, (uint32_t[]){kReadWrite, kRegular, 0, 0}, 16, name, NULL);
}
static int write_at(struct device* share, uint64_t node, uint64_t handle, uint64_t offset, uint32_t bytes) {
  static struct {
    uint64_t handle, offset;
    uint32_t size, flags;
    uint64_t owner;
    uint32_t open_flags, padding;
    uint8_t data[65536];
  } in;
  in.handle = handle;
  in.offset = offset;
  in.size = bytes;
  return ask_share(share, kWriteFile, node, &in, 40 + bytes);
}

// As much as goes; then there has to be room again for others, and what was there before.
static void fill(struct device* share) {
  enum { kNoSpace = 28, kMost = 1000 };
  if (create(share, 1, "filler") != 0)
    return claim("a file is made", false, share, 0);
  const uint64_t node = number_at(0), handle = number_at(kHandleAt);
  int error = 0;
  for (uint64_t i = 0; error == 0 && i < kMost; ++i)
    error = write_at(share, node, handle, i * 65536, 65536);
  claim("a file system that is full says so", error == kNoSpace, share, (uint32_t)error);
  (void)ask_named(share, kUnlink, 1, NULL, 0, "filler", NULL);
  (void)ask_share(share, kRelease, node, (uint64_t[]){handle, 0, 0}, 24);
  (void)ask_share(share, kForget, node, (uint64_t[]){1}, 8);
  error = create(share, 1, "later");
  if (error == 0)
    error = write_at(share, number_at(0), number_at(kHandleAt), 0, 4096);
  claim("… and has room when the file is gone", error == 0, share, (uint32_t)error);
}

// A directory in a directory in a directory, deeper than any path goes, which is renamed from above.
static void dig(struct device* share) {
  enum { kDepth = 2500 };
  uint64_t node = 1;
  for (unsigned i = 0; i < kDepth && node != 0; ++i) {
    const char* const name = i == 0 ? "top" : "d";
    node =
        ask_named(share, kMakeDirectory, node, (uint32_t[]){0755, 0}, 8, name, NULL) == 0 ? number_at(0) : 0;
  }
  claim("a tree that is deeper than any path", node != 0, share, 0);
  const uint64_t top = look_up(share, 1, "top");
  const bool opened = ask_share(share, kOpenDirectory, top, (uint64_t[]){0}, 8) == 0;
  const int renamed = ask_named(share, kRename, 1, (uint64_t[]){1}, 8, "top", "moved");
  claim("… whose top gets another name while it is open", opened && renamed == 0, share, (uint32_t)renamed);
  claim("… has its bottom where it was", create(share, node, "bottom") == 0, share, 0);
  // Into itself, and over the share's own root.
  claim("… but not within itself", ask_named(share, kRename, 1, (uint64_t[]){node}, 8, "moved", "d") != 0,
        share, 0);
}

// Until it is refused.
static void hold(struct device* share) {
  enum { kMost = 5000, kMostDirectories = 1024, kTooMany = 23 };
  int error = 0;
  unsigned held = 0;
  for (; error == 0 && held < kMost; ++held)
    error = ask_share(share, kOpenDirectory, 1, (uint64_t[]){0}, 8);
  claim("directories that are held for ever are bounded", error == kTooMany && held <= kMostDirectories + 1,
        share, held);
  const uint64_t file = look_up(share, 1, "inside");
  for (held = 0, error = 0; error == 0 && held < 3000; ++held)
    error = ask_share(share, kOpen, file, (uint32_t[]){0, 0}, 8);
  claim("… files are not few", error == 0 || error == kTooMany, share, (uint32_t)error);
}

// While the host exchanges the directory "swap" with a symlink that leads out, what is below it is asked for:
// a file of this size, and never the one outside.
static void race(struct device* share) {
  enum { kRounds = 1500, kSizeAt = 48, kSize = 7 };
  unsigned found = 0;
  for (unsigned i = 0; i < kRounds; ++i) {
    const uint64_t swap = look_up(share, 1, "swap");
    const uint64_t file = swap != 0 ? look_up(share, swap, "secret") : 0;
    if (file != 0 && number_at(kSizeAt) != kSize)
      claim("what is outside is known", false, share, i);
    if (swap != 0 && i % 16 == 0)
      (void)create(share, swap, "planted");
    if (file == 0 || ask_share(share, kOpen, file, (uint32_t[]){0, 0}, 8) != 0)
      continue;
    const uint64_t handle = number_at(0);
    ++found;
    if (ask_share(share, kRead, file, (uint64_t[]){handle, 0, 64, 0, 0}, 40) == 0 && answered[0] == 's')
      claim("what is outside is read", false, share, i);
    (void)ask_share(share, kRelease, file, (uint64_t[]){handle, 0, 0}, 24);
  }
  claim("a directory that is exchanged with a symlink all the time leads nowhere", found > 0, share, found);
}

void attack_share(struct device* share) {
  if (!begin_share(share))
    return claim("a share is begun", false, share, 0);
  fill(share);
  dig(share);
  race(share);
  hold(share);
}
