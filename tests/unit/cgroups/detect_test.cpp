#include "detect.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "base/error.h"
#include "plan.h"

using namespace trine::cgroups;

namespace {

constexpr const char* kHybrid =
    "23 1 254:0 / / rw,relatime - ext4 /dev/root rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup "
    "rw,xattr,release_agent=/lib/systemd/agent,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";

constexpr const char* kPure =
    "25 23 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

}  // namespace

TEST_CASE("a hybrid machine has each v1 controller where it is mounted, and v2 first") {
  const auto machine = parse_mountinfo(kHybrid);
  REQUIRE(machine.layout == Layout::kHybrid);
  REQUIRE(machine.all.size() == 4);
  CHECK(machine.all.front().v2);
  CHECK(find_v2(machine)->mount_point == "/sys/fs/cgroup/unified");
  CHECK(find_v1(machine, "cpuacct")->mount_point == "/sys/fs/cgroup/cpu,cpuacct");
  CHECK(find_v1(machine, "cpu") == find_v1(machine, "cpuacct"));
  CHECK(find_v1(machine, "memory")->mount_point == "/sys/fs/cgroup/memory");
  CHECK(find_v1(machine, "pids") == nullptr);
}

TEST_CASE("mount options that are no controllers are not taken for some") {
  const auto machine = parse_mountinfo(kHybrid);
  const auto* systemd = find_v1(machine, "name=systemd");
  REQUIRE(systemd != nullptr);
  CHECK(systemd->controllers == std::vector<std::string>{"name=systemd"});
}

TEST_CASE("a machine with version 2 only is not hybrid") {
  const auto machine = parse_mountinfo(kPure);
  CHECK(machine.layout == Layout::kV2);
  CHECK(find_v2(machine)->mount_point == "/sys/fs/cgroup");
}

TEST_CASE("a v1 hierarchy without controllers beside v2 does not make a machine hybrid") {
  const auto machine = parse_mountinfo(
      std::string(kPure) + "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
  CHECK(machine.layout == Layout::kV2);
}

TEST_CASE("a machine without cgroups has no layout") {
  CHECK(parse_mountinfo("").layout == Layout::kNone);
  CHECK(parse_mountinfo("23 1 254:0 / / rw,relatime - ext4 /dev/root rw\n").layout == Layout::kNone);
}

TEST_CASE("the first mount of a hierarchy is taken and bind mounts of it are not") {
  const auto machine = parse_mountinfo(
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "99 31 0:32 / /chroot/memory rw - cgroup cgroup rw,memory\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "42 31 0:38 / /chroot/unified rw - cgroup2 cgroup2 rw\n");
  REQUIRE(machine.all.size() == 2);
  CHECK(find_v1(machine, "memory")->mount_point == "/sys/fs/cgroup/memory");
  CHECK(find_v2(machine)->mount_point == "/sys/fs/cgroup/unified");
}

TEST_CASE("blanks in a mount point are read as the kernel escapes them") {
  const auto machine = parse_mountinfo("35 31 0:32 / /a\\040b\\134c\\9 rw - cgroup cgroup rw,memory\n");
  REQUIRE(machine.all.size() == 1);
  CHECK(machine.all[0].mount_point == "/a b\\c\\9");
}

TEST_CASE("a mount point that contains the word cgroup is no hierarchy") {
  CHECK(parse_mountinfo("35 31 0:32 / /cgroup rw - ext4 cgroup rw,memory\n").all.empty());
  CHECK(parse_mountinfo("35 31 0:32 / /x\\040-\\040cgroup rw - tmpfs cgroup rw,memory\n").all.empty());
}

TEST_CASE("lines that are cut off are passed over") {
  for (const auto* line :
       {" - cgroup", "35 31 0:32 / - cgroup cgroup rw,memory", "- cgroup2", " - cgroup2 ",
        "35 31 0:32 / relative rw - cgroup2 c rw", "\n\n\n", "35 31 0:32 / /x rw - cgroup c"}) {
    INFO(line);
    CHECK(parse_mountinfo(line).all.empty());
  }
}

TEST_CASE("no damage to the text brings the parsers down") {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = kHybrid;
    for (int i = 0; i < 6; ++i) {
      const auto at = random() % text.size();
      if (i % 2 == 0)
        text[at] = static_cast<char>(random());
      if (i == 3)
        text.erase(at, random() % 40);
      if (text.empty())
        text = "x";
    }
    CHECK_NOTHROW(parse_mountinfo(text));
    CHECK_NOTHROW(parse_own_v2_path(text));
  }
}

TEST_CASE("the own v2 group is the line with hierarchy 0 and no controllers") {
  CHECK(parse_own_v2_path("4:memory:/a\n0::/user.slice/x:y.scope\n") == "/user.slice/x:y.scope");
  CHECK(parse_own_v2_path("0::/\n") == "/");
  CHECK_FALSE(parse_own_v2_path("4:memory:/a\n10::/b\n"));
  CHECK_FALSE(parse_own_v2_path(""));
  CHECK_FALSE(parse_own_v2_path("0::"));
}

TEST_CASE("an own v2 group that this process cannot see is none") {
  CHECK_FALSE(parse_own_v2_path("0::/../sibling\n"));
  CHECK_FALSE(parse_own_v2_path("0::/gone (deleted)\n"));
}

TEST_CASE("what detect() finds on this machine is what the mount table says") {
  std::ifstream file("/proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto read = parse_mountinfo(text);
  const auto found = detect();
  CHECK(found.layout == read.layout);
  if (found.layout == Layout::kHybrid || found.layout == Layout::kV1) {
    CHECK(found.all.size() == read.all.size());
  }
}

TEST_CASE("the short way to the hierarchies leads to the same groups as the long one") {
  Limits memory;
  memory.memory_bytes = 1 << 20;
  memory.pids_max = 5;
  Limits devices;
  devices.devices = {{.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"}};
  Limits nested;  // not for v1
  nested.devices = {{.allow = true, .type = 'c'}, {.allow = false, .type = 'c', .major = 1}};
  Limits unified;
  unified.unified = {{"cgroup.max.depth", "3"}};
  const auto all = detect();
  if (all.layout == Layout::kNone) {
    WARN("skipped: this machine has no cgroups");
    return;
  }
  for (const auto& limits : {memory, devices, nested, unified}) {
    const auto bases = [&limits](const Hierarchies& hierarchies) {
      std::vector<std::string> result;
      try {
        for (const auto& place : plan_as_root(hierarchies, limits).places)
          result.push_back(place.base);
      } catch (const trine::base::Error& error) {
        result.emplace_back(error.what());
      }
      return result;
    };
    CHECK(bases(detect_for(limits)) == bases(all));
  }
}

TEST_CASE("nothing is looked for where nothing is needed") {
  CHECK(detect_for({}).all.empty());
  Limits everything;
  everything.devices = {{.allow = true}};
  CHECK(detect_for(everything).all.empty());
}
