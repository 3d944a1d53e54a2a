// Starts a monitor by hand, with what it cannot open itself, and is its caller:
//
//   monitor_host COMMAND...   COMMAND with --connections, and with --net where taps can be made
//
// This process becomes the command; a child takes the guest's connections and lets them go, and says the
// words of the monitor's (docs/guest-protocol.md), a pause among them, whenever it has heard nothing for a
// while. It ends with the monitor. The tap is in a network namespace of its own.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kMostArguments = 64, kSilence = 5 };  // milliseconds
enum { kQueues = 3 };

// The queues of a tap that is up, in a new network namespace; false where there are none.
static bool make_tap(int queues[kQueues]) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE};
  strcpy(request.ifr_name, "attacked0");
  if (unshare(CLONE_NEWNET) != 0)
    return false;
  for (int i = 0; i < kQueues; ++i) {
    queues[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    if (queues[i] < 0 || ioctl(queues[i], TUNSETIFF, &request) != 0)
      return false;
  }
  const int any_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  request.ifr_flags = IFF_UP;
  if (ioctl(any_socket, SIOCSIFFLAGS, &request) != 0)
    return false;
  close(any_socket);
  return true;
}

static _Noreturn void be_caller(int channel) {
  static const char* const kWords[] = {"stats",  "balloon 8000000", "pause",  "stats",
                                       "resume", "balloon 0",       "no word"};
  struct pollfd wait = {.fd = channel, .events = POLLIN};
  char answer[256];
  for (unsigned next = 0;;) {
    // What comes beside answers are connections: a descriptor that is not asked for is closed.
    if (poll(&wait, 1, kSilence) == 0) {
      const char* const word = kWords[next++ % (sizeof kWords / sizeof *kWords)];
      if (send(channel, word, strlen(word), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
        exit(0);
    } else if (recv(channel, answer, sizeof answer, 0) <= 0) {
      exit(0);
    }
  }
}

int main(int count, char** arguments) {
  int ends[2];
  if (count < 2 || count > kMostArguments - 6 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0)
    return 125;
  int queues[kQueues] = {-1, -1, -1};
  const bool has_tap = make_tap(queues);
  if (fork() == 0) {
    close(ends[1]);
    for (int i = 0; has_tap && i < kQueues; ++i)
      close(queues[i]);
    be_caller(ends[0]);
  }
  close(ends[0]);
  char* command[kMostArguments] = {NULL};
  char connections[16], net[96];
  memcpy(command, arguments + 1, (size_t)(count - 1) * sizeof *arguments);
  char** next = command + count - 1;
  snprintf(connections, sizeof connections, "fd:%d", ends[1]);
  *next++ = "--connections";
  *next++ = connections;
  snprintf(net, sizeof net, "fd:%d,queue=fd:%d,queue=fd:%d,mac=02:00:00:00:00:01,mtu=1500", queues[0],
           queues[1], queues[2]);
  if (has_tap) {
    *next++ = "--net";
    *next++ = net;
  }
  execvp(command[0], command);
  perror(command[0]);
  return 127;
}
