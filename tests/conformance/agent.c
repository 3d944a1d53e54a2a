/* Answers for a seccomp filter: agent SOCKET STATE
 *
 * Listens on the stream socket, takes one container process state with its descriptor, writes the state to the file
 * STATE, and lets every system call that is asked about fail with ENOMEDIUM, until the process has ended. Exits with 0
 * when the state came on a connection of its own that was closed behind it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char* what) {
  perror(what);
  return 1;
}

/* The first part of the state with its descriptor. */
static ssize_t receive_first(int peer, char* text, size_t size, int* fd) {
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {text, size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got = recvmsg(peer, &message, 0);
  struct cmsghdr* entry = CMSG_FIRSTHDR(&message);
  if (entry != NULL && entry->cmsg_type == SCM_RIGHTS)
    memcpy(fd, CMSG_DATA(entry), sizeof *fd);
  return got;
}

static void answer(int listener) {
  for (;;) {
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    if (poll(&wait, 1, -1) < 0 || (wait.revents & POLLHUP) != 0)
      return;
    struct seccomp_notif request;
    memset(&request, 0, sizeof request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
      continue; /* the caller has been killed */
    struct seccomp_notif_resp response = {.id = request.id, .error = -ENOMEDIUM};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }
}

int main(int count, char** arguments) {
  if (count != 3)
    return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || bind(server, (struct sockaddr*)&address, sizeof address) != 0 || listen(server, 1) != 0)
    return fail("listen");
  int peer = accept(server, NULL, NULL);
  static char text[1 << 16];
  int listener = -1;
  ssize_t length = receive_first(peer, text, sizeof text, &listener);
  ssize_t got = 0;
  while (length >= 0 && (got = read(peer, text + length, sizeof text - (size_t)length)) > 0)
    length += got;
  int state = open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (length <= 0 || listener < 0 || got != 0 || state < 0 || write(state, text, (size_t)length) != length)
    return fail("state");
  answer(listener);
  return 0;
}
