#include "netlink.h"

#include <catch2/catch.hpp>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "in_namespace.h"

using trine::base::Error;
using trine::netns::Request;
using trine::netns::Socket;

namespace {

Request link_up(const std::string& name) {
  ifinfomsg link{};
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0);
  request.header(link).add(IFLA_IFNAME, name);
  return request;
}

}  // namespace

TEST_CASE("a request that the kernel refuses is an error with the kernel's errno and the caller's purpose") {
  const Socket socket(NETLINK_ROUTE);
  try {
    socket.transact(link_up("no-such-link"), "cannot bring up no-such-link");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.message() == "cannot bring up no-such-link");
    // Without CAP_NET_ADMIN the kernel refuses before it looks for the interface.
    CHECK(error.errno_value() == (::geteuid() == 0 ? ENODEV : EPERM));
  }
}

TEST_CASE("a socket serves more requests after one was refused") {
  const auto result = in_new_network_namespace([] {
    const Socket socket(NETLINK_ROUTE);
    int refused = 0;
    for (int i = 0; i < 3; ++i) {
      try {
        socket.transact(link_up("absent"), "cannot bring up absent");
      } catch (const Error&) {
        ++refused;
      }
      socket.transact(link_up("lo"), "cannot bring up lo");
    }
    return std::to_string(refused);
  });
  if (!result.allowed) {
    WARN("skipped: this process is not allowed to make a network namespace");
    return;
  }
  CHECK(result.text == "3");
}

TEST_CASE("a protocol that the kernel does not have is an error and not a crash") {
  CHECK_THROWS_AS(Socket(31), Error);
}
