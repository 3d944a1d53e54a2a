#include "netns/devices.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "in_namespace.h"

using trine::netns::move_devices;

namespace {

/// A second new network namespace, and what a command says in it.
class Other {
 public:
  Other() {
    std::thread([this] {
      if (::unshare(CLONE_NEWNET) == 0)
        fd_ = trine::base::open_file("/proc/thread-self/ns/net", O_RDONLY);
    }).join();
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string says(const std::string& command) const {
    std::string output;
    std::thread([&] { output = ::setns(fd(), CLONE_NEWNET) == 0 ? shell(command) : "no setns"; }).join();
    return output;
  }

 private:
  trine::base::UniqueFd fd_;
};

constexpr const char* kMakePair = "ip link add veth0 type veth peer name veth1";
constexpr const char* kAddresses = "ip -o addr show dev inside0 scope global | grep -oE 'inet6? [^ ]+'";

void check(const ChildResult& result, const std::string& wanted) {
  if (!result.allowed) {
    WARN("skipped: this process is not allowed to make a network namespace");
    return;
  }
  CHECK(result.text == wanted);
}

}  // namespace

TEST_CASE("an interface that moves keeps its MTU, link address and permanent addresses, and is up") {
  if (::access("/usr/sbin/ip", X_OK) != 0 && ::access("/bin/ip", X_OK) != 0) {
    WARN("skipped: iproute2 is not installed");
    return;
  }
  check(
      in_new_network_namespace([]() -> std::string {
        if (const auto said = shell(kMakePair); !said.empty())
          return said;
        shell(
            "ip link set veth0 mtu 1300 address 02:00:00:00:00:77 up && ip addr add 10.9.8.7/24 dev veth0 && "
            "ip addr add fd00::7/64 dev veth0 nodad && ip addr add 127.9.9.9/32 scope host dev veth0");
        const Other other;
        move_devices({{.host_name = "veth0", .name = "inside0"}}, other.fd());
        return shell("ip -o link show veth0") + other.says(kAddresses) +
               other.says("ip -o link show inside0 | grep -oE 'mtu [0-9]+|ether [0-9a-f:]+|[<,]UP[,>]'");
      }),
      "Device \"veth0\" does not exist.\n"
      "inet 10.9.8.7/24\n"
      "inet6 fd00::7/64\n"
      ",UP>\n"
      "mtu 1300\n"
      "ether 02:00:00:00:00:77\n");
}

TEST_CASE("a name that is taken is an error, a template finds the first free one") {
  check(in_new_network_namespace([]() -> std::string {
          shell(kMakePair);
          const Other other;
          move_devices({{.host_name = "veth0", .name = "eth%d"}}, other.fd());
          std::string text = other.says("ip -o link show eth0 | grep -o eth0@");
          try {
            move_devices({{.host_name = "veth1", .name = "eth0"}}, other.fd());
          } catch (const trine::base::Error& error) {
            text += std::string(error.what()) + "\n";
          }
          move_devices({{.host_name = "veth1", .name = "eth%d"}}, other.fd());
          return text + other.says("ip -o link show eth1 | grep -o eth1@");
        }),
        "eth0@\n"
        "cannot move the network interface veth1 into the container as eth0: File exists\n"
        "eth1@\n");
}

TEST_CASE("an interface that is not there is named") {
  check(in_new_network_namespace([]() -> std::string {
          const Other other;
          try {
            move_devices({{.host_name = "absent0", .name = {}}}, other.fd());
          } catch (const trine::base::Error& error) {
            return error.what();
          }
          return "no error";
        }),
        "cannot move the network interface absent0 into the container: No such device");
}
