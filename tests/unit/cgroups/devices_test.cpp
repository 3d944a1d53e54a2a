// Device rules on v1 and by eBPF on v2: what a process in the group may open and make.
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/text.h"
#include "cgroups/group.h"
#include "detect.h"
#include "in_group.h"

using namespace trine::cgroups;

namespace {

/// What the kernel answers to opening a device: 0 or errno.
int try_open(const char* path, int flags) {
  const int fd = ::open(path, flags | O_CLOEXEC);
  return fd >= 0 ? ::close(fd) : errno;
}

int try_mknod(unsigned type, unsigned major, unsigned minor) {
  const std::string path = "/tmp/trine-unit-" + trine::base::random_hex(8);
  if (::mknod(path.c_str(), type | 0600, makedev(major, minor)) != 0)
    return errno;
  return ::unlink(path.c_str());
}

DeviceRule allow(std::uint32_t major, std::uint32_t minor, const char* access) {
  return {.allow = true, .type = 'c', .major = major, .minor = minor, .access = access};
}

/// Only the hierarchies that give the wanted kind of control.
Hierarchies only(bool v2) {
  Hierarchies machine = detect();
  std::erase_if(machine.all, [v2](const Hierarchy& hierarchy) { return hierarchy.v2 != v2; });
  machine.layout = v2 ? Layout::kV2 : Layout::kV1;
  return machine;
}

std::string cannot_control(bool v2) {
  if (const auto why = cannot_make_groups(); !why.empty())
    return why;
  if (v2 && find_v2(detect()) == nullptr)
    return "this machine has no cgroup v2";
  if (!v2 && find_v1(detect(), "devices") == nullptr)
    return "this machine has no devices controller of cgroup v1";
  return {};
}

void check_usual_rules(bool v2) {
  Limits limits;
  limits.devices = {{.allow = false}, allow(1, 3, "rwm"), allow(1, 5, "r")};
  TestGroup group(limits, only(v2));
  CHECK(group->birth_directory().has_value() == v2);
  CHECK(run_in(*group, [] { return try_open("/dev/null", O_RDWR); }) == 0);
  CHECK(run_in(*group, [] { return try_open("/dev/zero", O_RDONLY); }) == 0);
  CHECK(run_in(*group, [] { return try_open("/dev/zero", O_RDWR); }) == EPERM);
  CHECK(run_in(*group, [] { return try_open("/dev/full", O_RDONLY); }) == EPERM);
  CHECK(run_in(*group, [] { return try_mknod(S_IFCHR, 1, 3); }) == 0);
  CHECK(run_in(*group, [] { return try_mknod(S_IFCHR, 1, 5); }) == EPERM);
  CHECK(run_in(*group, [] { return try_mknod(S_IFBLK, 8, 0); }) == EPERM);
  CHECK(run_in(*group, [] { return try_mknod(S_IFIFO, 0, 0); }) == 0);
}

void check_denials(bool v2) {
  Limits limits;
  limits.devices = {{.allow = true}, {.allow = false, .type = 'c', .major = 1, .minor = 5, .access = "w"}};
  TestGroup group(limits, only(v2));
  CHECK(run_in(*group, [] { return try_open("/dev/full", O_RDWR); }) == 0);
  CHECK(run_in(*group, [] { return try_open("/dev/zero", O_RDONLY); }) == 0);
  CHECK(run_in(*group, [] { return try_open("/dev/zero", O_WRONLY); }) == EPERM);
}

}  // namespace

#define REQUIRE_CONTROL(v2)                                \
  if (const auto why = cannot_control(v2); !why.empty()) { \
    WARN("skipped: " << why);                              \
    return;                                                \
  }

TEST_CASE("on v1 a process opens and makes the devices that its rules allow and no other") {
  REQUIRE_CONTROL(false);
  check_usual_rules(false);
}

TEST_CASE("by eBPF on v2 a process opens and makes the devices that its rules allow and no other") {
  REQUIRE_CONTROL(true);
  check_usual_rules(true);
}

TEST_CASE("on v1 a denied device stands out from everything allowed") {
  REQUIRE_CONTROL(false);
  check_denials(false);
}

TEST_CASE("by eBPF on v2 a denied device stands out from everything allowed") {
  REQUIRE_CONTROL(true);
  check_denials(true);
}

TEST_CASE("rules that v1 cannot hold are enforced by eBPF on a hybrid machine") {
  REQUIRE_CONTROL(true);
  Limits limits;
  limits.devices = {{.allow = true, .type = 'c', .major = 1, .minor = {}, .access = "rw"},
                    {.allow = false, .type = 'c', .major = 1, .minor = 5, .access = "rwm"}};
  TestGroup group(limits);
  CHECK(group->birth_directory());
  CHECK(run_in(*group, [] { return try_open("/dev/full", O_RDWR); }) == 0);
  CHECK(run_in(*group, [] { return try_open("/dev/zero", O_RDONLY); }) == EPERM);
}

TEST_CASE("a group below another one has no device that the upper one forbids") {
  REQUIRE_CONTROL(true);
  Limits narrow;
  narrow.devices = {allow(1, 3, "rwm")};
  Limits wide;
  wide.devices = {{.allow = true}, {.allow = false, .type = 'b'}};
  TestGroup outer(narrow, only(true));
  auto inner = create(only(true), outer.name() + "/inner", wide);
  CHECK(run_in(inner, [] { return try_open("/dev/null", O_RDWR); }) == 0);
  CHECK(run_in(inner, [] { return try_open("/dev/zero", O_RDONLY); }) == EPERM);
  inner.remove();
}

TEST_CASE("loading an eBPF program does not change the memory lock limit of this process") {
  REQUIRE_CONTROL(true);
  rlimit before{};
  rlimit after{};
  ::getrlimit(RLIMIT_MEMLOCK, &before);
  Limits limits;
  limits.devices = {allow(1, 3, "rwm")};
  TestGroup group(limits, only(true));
  ::getrlimit(RLIMIT_MEMLOCK, &after);
  CHECK(before.rlim_cur == after.rlim_cur);
}
