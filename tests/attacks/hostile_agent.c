// The first program of a guest, in trine-agent's place: it breaks the guest protocol (docs/guest-protocol.md)
// in the way that the last word of its own file names, which vm_agent.sh appends.
#include <dirent.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  kReady = 1,
  kStarted = 3,
  kFailed = 4,
  kExit = 7,
  kFigures = 11,
  kControlPort = 1024,
  kStreamPort = 1025
};

static char payload[1 << 20];

static void load_modules(void) {
  struct dirent** entries = NULL;
  const int count = scandir("/modules", &entries, NULL, alphasort);  // their names tell the order
  for (int i = 0; i < count; ++i) {
    char path[512];
    snprintf(path, sizeof path, "/modules/%s", entries[i]->d_name);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    syscall(SYS_finit_module, file, "", 0);
    close(file);
  }
}

static int dial(unsigned port) {
  const struct sockaddr_vm host = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
  const int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
  if (fd >= 0 && connect(fd, (const struct sockaddr*)&host, sizeof host) == 0)
    return fd;
  close(fd);
  return -1;
}

static void frame(int fd, uint32_t length, uint16_t type, uint16_t flags, uint64_t request,
                  const void* body) {
  char header[16];
  memcpy(header, &length, 4);
  memcpy(header + 4, &type, 2);
  memcpy(header + 6, &flags, 2);
  memcpy(header + 8, &request, 8);
  send(fd, header, sizeof header, MSG_NOSIGNAL);
  if (length <= sizeof payload)
    send(fd, body, length, MSG_NOSIGNAL);
}

static void ready(int fd) {
  const uint32_t version = 1;
  frame(fd, sizeof version, kReady, 0, 0, &version);
}

static int open_stream(uint64_t request, uint64_t kind) {
  const uint64_t hello[2] = {request, kind};
  const int fd = dial(kStreamPort);
  send(fd, hello, sizeof hello, MSG_NOSIGNAL);
  return fd;
}

static void garbage(int fd) {
  getrandom(payload, 4096, 0);
  payload[3] = 0x7f;  // of the first length
  send(fd, payload, 4096, MSG_NOSIGNAL);
}
static void length(int fd) {
  frame(fd, UINT32_MAX, kReady, 0, 0, payload);
}
static void flags(int fd) {
  frame(fd, 4, kReady, 1, 0, payload);
}
static void type(int fd) {
  frame(fd, 4, 99, 0, 0, payload);
}
static void version(int fd) {
  frame(fd, 4, kReady, 0, 0, "\xff\xff\xff\xff");
}
static void short_payload(int fd) {
  frame(fd, 1, kReady, 0, 0, payload);
}
static void count(int fd) {  // of characters, which are not there
  ready(fd);
  frame(fd, 12, kFailed, 0, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
}
static void twice(int fd) {  // ends before its start, and again
  ready(fd);
  for (int i = 0; i < 2; ++i)
    frame(fd, 5, kExit, 0, 1, "\xff\x01\0\0\0");
}
static void end(int fd) {  // of no form
  ready(fd);
  frame(fd, 3, kExit, 0, 1, payload);
}
static void leaves(int fd) {
  ready(fd);
  frame(fd, 0, kStarted, 0, 1, payload);
  close(fd);
}
static void start(int fd) {
  ready(fd);
  frame(fd, 0, kStarted, 0, 1, payload);
  send(open_stream(1, 1), "up\n", 3, MSG_NOSIGNAL);
}
static void silent(int fd) {
  start(fd);
  open_stream(1, 2);
}
static void flood(int fd) {
  start(fd);
  for (;;)
    frame(fd, sizeof payload, kFigures, 0, 77, payload);
}
static void connections(int fd) {
  ready(fd);
  frame(fd, 0, kStarted, 0, 1, payload);
  for (unsigned i = 0; i < 3000; ++i) {
    dial(i % 3 == 0 ? kStreamPort : i);
    if (i % 100 == 0)
      open_stream(i, i);
  }
  frame(fd, 5, kExit, 0, 1, "\x05\0\0\0\0");
}

static const struct {
  const char* name;
  void (*run)(int);
} kWays[] = {
    {"garbage", garbage}, {"length", length},       {"flags", flags},   {"type", type},
    {"version", version}, {"short", short_payload}, {"count", count},   {"end", end},
    {"twice", twice},     {"leaves", leaves},       {"silent", silent}, {"connections", connections},
    {"flood", flood},
};

int main(void) {
  char end[32] = "";
  const int self = open("/init", O_RDONLY | O_CLOEXEC);
  lseek(self, -(off_t)(sizeof end - 1), SEEK_END);
  if (read(self, end, sizeof end - 1) != sizeof end - 1)
    return 1;
  load_modules();
  const int control = dial(kControlPort);
  const char* const name = strrchr(end, ' ');
  for (size_t i = 0; name != NULL && i < sizeof kWays / sizeof *kWays; ++i) {
    if (strcmp(name + 1, kWays[i].name) == 0)
      kWays[i].run(control);
  }
  for (;;)
    pause();
}
