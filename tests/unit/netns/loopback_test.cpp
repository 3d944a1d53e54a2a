#include "netns/loopback.h"

#include <catch2/catch.hpp>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <string>
#include <thread>

#include "in_namespace.h"

namespace {

bool lo_is_up() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  const bool up = ::ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
  ::close(fd);
  return up;
}

std::string state() {
  return lo_is_up() ? "up" : "down";
}

/// A datagram from 127.0.0.1 to itself arrives.
bool loopback_carries_traffic() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  char byte = 'x';
  const bool arrived = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0 &&
                       ::sendto(fd, &byte, 1, 0, generic, size) == 1 &&
                       ::recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
  ::close(fd);
  return arrived;
}

}  // namespace

#define REQUIRE_NAMESPACE(result)                                             \
  if (!(result).allowed) {                                                    \
    WARN("skipped: this process is not allowed to make a network namespace"); \
    return;                                                                   \
  }

TEST_CASE("lo is down in a new network namespace and up after one call") {
  const auto result = in_new_network_namespace([] {
    const std::string before = state();
    trine::netns::bring_up_loopback();
    return before + " " + state() + (loopback_carries_traffic() ? " carries" : " silent");
  });
  REQUIRE_NAMESPACE(result);
  CHECK(result.text == "down up carries");
}

TEST_CASE("bringing lo up twice is no error") {
  const auto result = in_new_network_namespace([] {
    trine::netns::bring_up_loopback();
    trine::netns::bring_up_loopback();
    return state();
  });
  REQUIRE_NAMESPACE(result);
  CHECK(result.text == "up");
}

TEST_CASE("lo comes up in the namespace of the calling thread and in no other") {
  const auto result = in_new_network_namespace([] {
    std::string inside;
    std::thread([&inside] {
      if (::unshare(CLONE_NEWNET) != 0)
        return;
      trine::netns::bring_up_loopback();
      inside = state();
    }).join();
    return "outside " + state() + ", inside " + inside;
  });
  REQUIRE_NAMESPACE(result);
  CHECK(result.text == "outside down, inside up");
}
