#include "netns/interfaces.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "in_namespace.h"
#include "netns/tap.h"

using namespace trine;

namespace {

bool has_iproute() {
  return ::access("/usr/sbin/ip", X_OK) == 0 || ::access("/bin/ip", X_OK) == 0;
}

base::UniqueFd own_namespace() {
  return base::open_file("/proc/thread-self/ns/net", O_RDONLY);
}

constexpr const char* kPair =
    "ip link add eth0 type veth peer name far0 && ip link set eth0 mtu 1300 address 02:00:00:00:00:77 up && "
    "ip link set far0 up && ip addr add 10.9.8.7/24 dev eth0 && ip addr add 10.1.1.1 peer 10.1.1.2 dev eth0 "
    "&& "
    "ip addr add fd00::7/64 dev eth0 nodad && ip route add default via 10.9.8.1 && "
    "ip route add 10.50.0.0/16 dev eth0 scope link src 10.9.8.7 metric 7 && "
    "ip route add 10.60.0.0/16 via 10.61.0.1 dev eth0 onlink && ip -6 route add fd50::/16 via fd00::1";
constexpr const char* kState =
    "ip -o link show eth0 | grep -oE 'mtu [0-9]+|ether [0-9a-f:]+|[<,]UP[,>]';"
    "ip -o addr show dev eth0 scope global | sed 's/.*inet/inet/; s/ *.valid_lft.*//';"
    "ip route show dev eth0 | grep -v 'proto kernel'; ip -6 route show dev eth0 | grep fd50";

void check(const ChildResult& result, const std::string& wanted) {
  if (result.text.starts_with("cannot redirect")) {
    WARN("skipped: this kernel has no matchall filter or no mirred action");
    return;
  }
  if (!result.allowed) {
    WARN("skipped: this process is not allowed to make a network namespace");
    return;
  }
  CHECK(result.text == wanted);
}

void make_pair() {
  const std::string said = shell(kPair);
  if (!said.empty())
    throw base::Error("cannot make a veth pair: " + said);
}

}  // namespace

TEST_CASE("what is read of an interface sets another one up to be the same") {
  if (!has_iproute()) {
    WARN("skipped: iproute2 is not installed");
    return;
  }
  check(in_new_network_namespace([]() -> std::string {
          make_pair();
          const auto interfaces = netns::interfaces_of(own_namespace().get());
          const std::string before = shell(kState);
          // Another interface in its place, with a name that is not the one that it is to have.
          shell(
              "ip link set far0 down; ip link del eth0; ip link add eth1 type veth peer name eth0; "
              "ip link set eth0 address 02:00:00:00:00:01; ip link set eth1 address 02:00:00:00:00:77");
          std::vector<netns::Interface> wanted;
          for (const auto& found : interfaces) {
            if (found.name == "eth0")
              wanted.push_back(found);
          }
          shell("ip link set eth0 name other up");
          netns::set_up_interfaces(wanted);
          const std::string after = shell(kState);
          return std::to_string(wanted.size()) +
                 (before.size() > 200 && before == after ? " same" : before + after);
        }),
        "1 same");
}

TEST_CASE("an interface that is not there to be set up is named") {
  check(in_new_network_namespace([]() -> std::string {
          try {
            netns::set_up_interfaces({{.name = "eth5", .mac = std::string(6, '\5'), .mtu = 1500}});
          } catch (const base::Error& error) {
            return error.message();
          }
          return "no error";
        }),
        "there is no network interface for eth5");
}

TEST_CASE("a tap takes the place of its link until it is parted, and only one does") {
  if (!has_iproute() || ::access("/dev/net/tun", R_OK | W_OK) != 0) {
    WARN("skipped: iproute2 or /dev/net/tun is missing");
    return;
  }
  check(in_new_network_namespace([]() -> std::string {
          constexpr const char* kFilter =
              "tc qdisc show dev eth0 | grep -c ingress; ip -o link | grep -c ' trine'";
          make_pair();
          const auto space = own_namespace();
          std::string text;
          try {
            netns::join_tap(space.get(), "eth0");
            netns::part_tap(space.get(), "eth0");
          } catch (const base::Error& error) {
            if (error.errno_value() != ENOENT)
              throw;
            return error.message();
          }
          {
            const auto taps = netns::join_tap(space.get(), "eth0");
            text += shell(kFilter);
            try {
              (void)netns::join_tap(space.get(), "eth0");
            } catch (const base::Error& error) {
              text += error.message() + "\n";
            }
            netns::part_tap(space.get(), "eth0");
            text += shell(kFilter);
            std::set<std::string> names;  // which has the lower number is the kernel's to say
            for (const auto& found : netns::interfaces_of(space.get()))
              names.insert(found.name);
            for (const std::string& name : names)
              text += name + "\n";
          }
          text += shell(kFilter);
          (void)netns::join_tap(space.get(), "eth0");  // what was left on the link is no hindrance
          netns::part_tap(space.get(), "eth0");
          netns::part_tap(space.get(), "eth0");
          netns::part_tap(space.get(), "absent0");
          return text + shell(kFilter);
        }),
        "1\n1\nthe network interface eth0 is a machine's already\n1\n1\neth0\nfar0\n1\n0\n0\n0\n");
}
