#include "netns/traffic.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "in_namespace.h"

using namespace trine;

namespace {

constexpr int kFrames = 20;
constexpr std::size_t kFrameBytes = 1000;

/// What `ip` says when it makes two ends of a cable; and what it does when there is no `ip`.
std::string make_pair() {
  return shell("ip link add eth0 type veth peer name far0 && ip link set eth0 up && ip link set far0 up");
}

base::UniqueFd own_namespace() {
  return base::open_file("/proc/thread-self/ns/net", O_RDONLY);
}

std::string frame() {
  // To everybody, of a kind that nobody knows.
  std::string text(kFrameBytes, '\0');
  text.replace(0, 6, 6, '\xff');
  text.replace(12, 2, "\x88\xb5");
  return text;
}

void send_frames(const char* link) {
  const base::UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex(link));
  const std::string text = frame();
  for (int i = 0; i < kFrames; ++i) {
    if (::sendto(socket.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0)
      base::throw_errno(std::string("cannot send by ") + link);
  }
}

struct Tap {
  base::UniqueFd file;
  std::string name;
};

/// With the name of one of join_tap()'s, but not coupled with its link, for which not every kernel has what
/// it takes.
Tap make_tap_beside(const char* link) {
  Tap tap{.file = base::open_file("/dev/net/tun", O_RDWR | O_NONBLOCK),
          .name = "trine" + std::to_string(if_nametoindex(link))};
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  tap.name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(tap.file.get(), TUNSETIFF, &request) != 0)
    base::throw_errno("cannot make the tap " + tap.name);
  shell("ip link set " + tap.name + " up");
  return tap;
}

/// Whether as much was carried as was sent on purpose, beside what a kernel sends by itself.
bool is_all(const netns::Counters& counters) {
  return counters.packets >= kFrames && counters.bytes >= kFrames * kFrameBytes;
}

/// By name: the order is that of the interfaces' numbers, which a pair gets as it likes.
std::string describe(const std::vector<netns::Traffic>& all) {
  std::set<std::string> lines;
  for (const auto& [name, received, sent] : all)
    lines.insert(name + (is_all(received) ? " received" : "") + (is_all(sent) ? " sent" : ""));
  std::string text;
  for (const std::string& line : lines)
    text += line + "\n";
  return text;
}

bool can_run(const ChildResult& result) {
  const bool can =
      result.allowed && !result.text.starts_with("cannot redirect") && !result.text.starts_with("skipped");
  if (!can)
    WARN("skipped: " + result.text);
  return can;
}

}  // namespace

TEST_CASE("what one end of a cable sends the other receives; loopback and what is down have no traffic") {
  const auto result = in_new_network_namespace([]() -> std::string {
    if (const std::string said = make_pair(); !said.empty())
      return "skipped: " + said;
    send_frames("far0");
    shell("ip link set lo up; ip link add idle0 type veth peer name idle1");
    return describe(netns::traffic_of_namespace(own_namespace().get()));
  });
  if (can_run(result))
    CHECK(result.text == "eth0 received\nfar0 sent\n");
}

TEST_CASE("a machine in an interface's place has that one's name, and received what its tap has sent") {
  const auto result = in_new_network_namespace([]() -> std::string {
    if (const std::string said = make_pair(); !said.empty())
      return "skipped: " + said;
    if (::access("/dev/net/tun", R_OK | W_OK) != 0)
      return "skipped: there is no /dev/net/tun";
    const auto space = own_namespace();
    send_frames("far0");  // is no machine's
    const Tap tap = make_tap_beside("eth0");
    for (int i = 0; i < kFrames; ++i)
      base::write_all(tap.file.get(), frame(), "the tap");
    std::string text = describe(netns::traffic_of_machine(space.get()));
    send_frames(tap.name.c_str());
    std::string got(kFrameBytes * 2, '\0');
    while (::read(tap.file.get(), got.data(), got.size()) > 0) {
    }
    text += describe(netns::traffic_of_machine(space.get()));
    text += describe(netns::traffic_of_namespace(space.get()));
    return text;
  });
  if (can_run(result))
    CHECK(result.text == "eth0 sent\neth0 received sent\neth0 received\nfar0 sent\n");
}

TEST_CASE("a namespace without machines has no traffic of one") {
  const auto result = in_new_network_namespace([]() -> std::string {
    if (const std::string said = make_pair(); !said.empty())
      return "skipped: " + said;
    return "machines: " + describe(netns::traffic_of_machine(own_namespace().get()));
  });
  if (can_run(result))
    CHECK(result.text == "machines: ");
}
