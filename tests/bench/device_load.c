// What a guest does with its devices, timed by itself, and the far end of its network. A line a figure: "result NAME VALUE".
//
//   device_load block DEVICE            sequential in requests of 128 KiB, random of 4 KiB, past the guest's page cache
//   device_load net ADDRESS PORT        TCP with `serve` there: sending, receiving, round trips of a byte
//   device_load walk DIRECTORY          lstat of every file below it, twice, then each read
//   device_load serve PORT
//   device_load tap NAME COMMAND...     runs COMMAND with the tap NAME as descriptor 3
#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SEQUENTIAL_BYTES (64 << 20)
#define REQUEST_BYTES (128 << 10)
#define PAGE_BYTES 4096
#define RANDOM_REQUESTS 2000
#define DEPTH 16
#define STREAM_BYTES (64 << 20)
#define ROUND_TRIPS 1000

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void tell(const char* name, double amount, double since) {
  printf("result %s %.1f\n", name, amount / (now() - since));
  fflush(stdout);
}

static char* new_buffer(size_t bytes) {
  char* buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (buffer == MAP_FAILED) die("mmap");
  return buffer;
}

static void sequential(int disk, int is_write) {
  char* buffer = new_buffer(REQUEST_BYTES);
  double begin = now();
  for (off_t at = 0; at < SEQUENTIAL_BYTES; at += REQUEST_BYTES) {
    ssize_t done = is_write ? pwrite(disk, buffer, REQUEST_BYTES, at) : pread(disk, buffer, REQUEST_BYTES, at);
    if (done != REQUEST_BYTES) die("sequential");
  }
  tell(is_write ? "sequential-write-MB/s" : "sequential-read-MB/s", SEQUENTIAL_BYTES / 1e6, begin);
}

// The same places each time.
static off_t next_place(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return (off_t)(state >> 8) % (SEQUENTIAL_BYTES / PAGE_BYTES) * PAGE_BYTES;
}

static void random_places(int disk, int is_write, unsigned depth) {
  char* buffer = new_buffer(DEPTH * PAGE_BYTES);
  aio_context_t context = 0;
  if (syscall(SYS_io_setup, DEPTH, &context) != 0) die("io_setup");
  struct iocb requests[DEPTH], *batch[DEPTH];
  struct io_event events[DEPTH];
  unsigned begun = 0, done = 0, count = depth;
  for (unsigned i = 0; i < depth; ++i) events[i].data = i;
  double begin = now();
  while (done < RANDOM_REQUESTS) {
    unsigned asked = 0;
    for (unsigned i = 0; i < count && begun < RANDOM_REQUESTS; ++i, ++begun) {
      uint64_t place = events[i].data;
      struct iocb* request = &requests[place];
      *request = (struct iocb){.aio_lio_opcode = is_write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
                               .aio_fildes = disk,
                               .aio_buf = (uint64_t)(uintptr_t)(buffer + place * PAGE_BYTES),
                               .aio_nbytes = PAGE_BYTES,
                               .aio_offset = next_place(),
                               .aio_data = place};
      batch[asked++] = request;
    }
    if (asked > 0 && syscall(SYS_io_submit, context, asked, batch) != asked) die("io_submit");
    long got = syscall(SYS_io_getevents, context, 1, depth, events, NULL);
    if (got < 1) die("io_getevents");
    for (long i = 0; i < got; ++i) {
      if (events[i].res != PAGE_BYTES) die("random");
    }
    count = got;
    done += got;
  }
  char name[64];
  snprintf(name, sizeof name, "random-%s-depth-%u-IO/s", is_write ? "write" : "read", depth);
  tell(name, RANDOM_REQUESTS, begin);
  syscall(SYS_io_destroy, context);
}

static void block(const char* device) {
  int disk = open(device, O_RDWR | O_DIRECT);
  if (disk < 0) die(device);
  for (int is_write = 0; is_write < 2; ++is_write) {
    sequential(disk, is_write);
    random_places(disk, is_write, 1);
    random_places(disk, is_write, DEPTH);
  }
}

static int meet(const char* address, const char* port, char wish) {
  struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  inet_pton(AF_INET, address, &far.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (connect(fd, (struct sockaddr*)&far, sizeof far) != 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (write(fd, &wish, 1) != 1) die("write");
  return fd;
}

static void send_stream(int fd) {
  char* buffer = new_buffer(REQUEST_BYTES);
  for (size_t sent = 0; sent < STREAM_BYTES;) {
    ssize_t done = write(fd, buffer, REQUEST_BYTES);
    if (done < 0) die("write");
    sent += done;
  }
  munmap(buffer, REQUEST_BYTES);
}

static void receive_stream(int fd) {
  char* buffer = new_buffer(REQUEST_BYTES);
  for (size_t got = 0; got < STREAM_BYTES;) {
    ssize_t done = read(fd, buffer, REQUEST_BYTES);
    if (done <= 0) die("read");
    got += done;
  }
  munmap(buffer, REQUEST_BYTES);
}

static void net(const char* address, const char* port) {
  char byte;
  int fd = meet(address, port, 's');
  double begin = now();
  send_stream(fd);
  if (read(fd, &byte, 1) != 1) die("read");
  tell("tcp-to-host-MB/s", STREAM_BYTES / 1e6, begin);
  close(fd);
  begin = now();
  fd = meet(address, port, 'r');
  receive_stream(fd);
  tell("tcp-to-guest-MB/s", STREAM_BYTES / 1e6, begin);
  close(fd);
  fd = meet(address, port, 'p');
  begin = now();
  for (int i = 0; i < ROUND_TRIPS; ++i) {
    if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) die("round trip");
  }
  tell("tcp-round-trips/s", ROUND_TRIPS, begin);
  close(fd);
}

static void serve(const char* port) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr*)&here, sizeof here) != 0 || listen(listener, 8) != 0) die("listen");
  while (1) {
    int fd = accept(listener, NULL, NULL);
    char wish = 0, byte = 0;
    if (fd < 0 || read(fd, &wish, 1) != 1) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (wish == 's') {
      receive_stream(fd);
      if (write(fd, &byte, 1) != 1) perror("write");
    } else if (wish == 'r') {
      send_stream(fd);
    } else {
      while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) continue;
    }
    close(fd);
  }
}

static unsigned seen;
static int see(const char* path, const struct stat* status, int type, struct FTW* where) {
  (void)path, (void)status, (void)type, (void)where;
  ++seen;
  return 0;
}

static int see_content(const char* path, const struct stat* status, int type, struct FTW* where) {
  char content[PAGE_BYTES];
  if (type == FTW_F) {
    int fd = open(path, O_RDONLY);
    if (fd < 0 || read(fd, content, sizeof content) != status->st_size || close(fd) != 0) die(path);
  }
  return see(path, status, type, where);
}

static void walk_once(const char* directory, __nftw_func_t visit, const char* name) {
  double begin = now();
  seen = 0;
  if (nftw(directory, visit, 16, FTW_PHYS) != 0) die(directory);
  tell(name, seen, begin);
}

static void walk(const char* directory) {
  walk_once(directory, see, "walk-cold-files/s");
  walk_once(directory, see, "walk-warm-files/s");
  walk_once(directory, see_content, "walk-and-read-files/s");
}

static void with_tap(const char* name, char** command) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  int tap = open("/dev/net/tun", O_RDWR);
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) die(name);
  if (tap != 3 && (dup2(tap, 3) != 3 || close(tap) != 0)) die("dup2");
  execvp(command[0], command);
  die(command[0]);
}

int main(int count, char** words) {
  const char* what = count > 2 ? words[1] : "";
  if (strcmp(what, "block") == 0) block(words[2]);
  else if (strcmp(what, "net") == 0 && count > 3) net(words[2], words[3]);
  else if (strcmp(what, "walk") == 0) walk(words[2]);
  else if (strcmp(what, "serve") == 0) serve(words[2]);
  else if (strcmp(what, "tap") == 0 && count > 3) with_tap(words[2], words + 3);
  else {
    fprintf(stderr, "usage: device_load block|net|walk|serve|tap ...\n");
    return 2;
  }
  return 0;
}
