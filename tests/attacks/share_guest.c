// What root of a Linux guest does to the directories that the host shares with it, where a shell has no word
// for it. It says one claim a line: "yes CLAIM" or "no CLAIM: why". Used by vm_volumes.sh: share_guest WHAT
// [ARGUMENT...].
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char* const kSecret = "secret, and longer";  // the content of what no guest may see

static void claim(const char* what, int holds, const char* why) {
  if (holds)
    printf("yes %s\n", what);
  else
    printf("no %s: %s\n", what, why);
}

// The call failed, as it should.
static void refused(const char* what, int result) {
  claim(what, result < 0, "it is allowed");
}

static int reads_secret(int fd) {
  char text[64] = {0};
  return read(fd, text, sizeof text - 1) > 0 && strstr(text, kSecret) != NULL;
}

// Handles of files that the guest's kernel knows of, and of all that it could: numbers are counted up from 1.
static void handles(const char* share, const char* file) {
  const uint32_t most = 4000;
  struct {
    struct file_handle head;
    uint32_t words[32];
  } handle = {.head.handle_bytes = sizeof handle.words};
  int mount = 0;
  if (name_to_handle_at(AT_FDCWD, file, &handle.head, &mount, 0) != 0) {
    claim("a file has a handle to make others of", 0, strerror(errno));
    return;
  }
  const int root = open(share, O_RDONLY | O_DIRECTORY);
  unsigned opened = 0;
  unsigned leaks = 0;
  for (uint32_t node = 0; node < most; ++node) {
    handle.words[0] = 0;  // the upper half
    handle.words[1] = node;
    const int fd = open_by_handle_at(root, &handle.head, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
      continue;
    ++opened;
    leaks += reads_secret(fd);
    const int beside = openat(fd, "../outside/secret", O_RDONLY);
    leaks += beside >= 0 && reads_secret(beside);
    close(beside);
    close(fd);
  }
  claim("handles open what the guest knows of", opened > 0, "none");
  claim("… and nothing that is outside", leaks == 0, "they do");
}

static void attributes(const char* file) {
  static const char* const kHosts[] = {"trusted.x",    "trusted.overlay.opaque", "security.selinux",
                                       "security.ima", "security.evm",           "system.nfs4_acl"};
  for (size_t i = 0; i < sizeof kHosts / sizeof *kHosts; ++i) {
    char text[128];
    snprintf(text, sizeof text, "%s cannot be set", kHosts[i]);
    refused(text, setxattr(file, kHosts[i], "x", 1, 0));
  }
  const uint32_t all[5] = {0x02000001, ~0U, 0, ~0U, 0};  // VFS_CAP_REVISION_2, effective
  claim("a program is given capabilities, which are the guest's",
        setxattr(file, "security.capability", all, sizeof all, 0) == 0, strerror(errno));
}

// On the host: the names of the attributes that a file has.
static void list(const char* file) {
  char names[4096];
  const ssize_t length = listxattr(file, names, sizeof names);
  for (ssize_t i = 0; i < length; i += (ssize_t)strlen(names + i) + 1)
    puts(names + i);
}

static void devices(const char* share) {
  if (chdir(share) != 0)
    exit(1);
  refused("no node of the host's memory", mknod("mem", S_IFCHR | 0666, makedev(1, 1)));
  refused("… nor of a disk", mknod("disk", S_IFBLK | 0666, makedev(7, 0)));
  refused("… nor a whiteout, which needs no privilege", mknod("whiteout", S_IFCHR, makedev(0, 0)));
  refused("… not by a rename either", renameat2(AT_FDCWD, "inside", AT_FDCWD, "away", RENAME_WHITEOUT));
}

static void links(const char* file, const char* other, const char* symlink_out) {
  char name[256];
  snprintf(name, sizeof name, "%s/link", other);
  refused("no hard link from one share to another", link(file, name));
  const int fd = open(file, O_RDONLY);
  refused("… nor by a descriptor", linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH));
  refused("… nor a rename", rename(file, name));
  refused("… nor a link to where a symlink leads",
          linkat(AT_FDCWD, symlink_out, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
  close(fd);
}

// In a directory that the host exchanges with a symlink all the time. `caches` makes the kernel ask anew.
static void race(const char* swap, const char* caches, unsigned rounds) {
  unsigned directory = 0;
  unsigned symlink = 0;
  unsigned leaks = 0;
  for (unsigned i = 0; i < rounds; ++i) {
    char name[256];
    const int drop = open(caches, O_WRONLY);
    if (drop < 0 || write(drop, "2", 1) != 1)
      claim("the guest forgets what it knew", 0, strerror(errno));
    close(drop);
    snprintf(name, sizeof name, "%s/secret", swap);
    const int fd = open(name, O_RDWR);
    if (fd >= 0) {
      leaks += reads_secret(fd);
      ++directory;
      close(fd);
    } else {
      ++symlink;  // it leads to what the guest has not
    }
    snprintf(name, sizeof name, "%s/new-%u", swap, i);
    const int made = open(name, O_WRONLY | O_CREAT, 0666);
    if (made >= 0)
      close(made);
    if (i % 2 == 0)
      unlink(name);
    chmod(name, 0);
    truncate(name, 3);
    snprintf(name, sizeof name, "%s/directory-%u", swap, i);
    mkdir(name, 0777);
  }
  printf("race: %u times a directory, %u times a symlink\n", directory, symlink);
  claim("the guest meets both, the directory and the symlink", directory > 0 && symlink > 0, "it meets one");
  claim("… and never what is behind the symlink", leaks == 0, "it reads it");
}

// Holds all that it gets, half of it removed, and stays.
static void hold(const char* share) {
  const unsigned most = 100000;
  const struct rlimit limit = {most, most};
  setrlimit(RLIMIT_NOFILE, &limit);
  if (chdir(share) != 0)
    exit(1);
  unsigned open_files = 0;
  unsigned known = 0;
  char name[32];
  for (; open_files < most; ++open_files) {
    snprintf(name, sizeof name, "held-%u", open_files);
    const int fd = open(name, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
      break;
    if (open_files % 2 == 0 && (write(fd, "kept", 4) != 4 || unlink(name) != 0))
      exit(1);
  }
  claim("open files have an end", errno == ENFILE, strerror(errno));
  for (; known < most; ++known) {
    snprintf(name, sizeof name, "known-%u", known);
    if (mkdir(name, 0700) != 0 || open(name, O_PATH) < 0)
      break;
  }
  claim("… and files that are known", errno == ENFILE, strerror(errno));
  printf("held %u open, %u known\n", open_files, known);
  for (;;)
    pause();
}

int main(int count, char** words) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char* what = count > 1 ? words[1] : "";
  if (strcmp(what, "handles") == 0 && count == 4)
    handles(words[2], words[3]);
  else if (strcmp(what, "attributes") == 0 && count == 3)
    attributes(words[2]);
  else if (strcmp(what, "list") == 0 && count == 3)
    list(words[2]);
  else if (strcmp(what, "devices") == 0 && count == 3)
    devices(words[2]);
  else if (strcmp(what, "links") == 0 && count == 5)
    links(words[2], words[3], words[4]);
  else if (strcmp(what, "race") == 0 && count == 5)
    race(words[2], words[3], (unsigned)atoi(words[4]));
  else if (strcmp(what, "hold") == 0 && count == 3)
    hold(words[2]);
  else
    return 2;
  return 0;
}
