#include "cgroups/group.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "detect.h"
#include "in_group.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

/// A limit that every layout can give, so that the group has a directory.
Limits any_limit() {
  Limits limits;
  limits.pids_max = 50;
  return limits;
}

bool own_cgroups_name(const std::string& name) {
  std::ifstream file("/proc/self/cgroup");
  std::stringstream text;
  text << file.rdbuf();
  return text.str().find(name) != std::string::npos;
}

}  // namespace

TEST_CASE("a group without limits has no directories, and every operation on it is legal") {
  auto group = create(detect(), unique_name(), {});
  CHECK(group.directories().empty());
  CHECK_FALSE(group.birth_directory());
  CHECK_NOTHROW(group.join_self(false));
  CHECK_NOTHROW(group.join(::getpid(), false));
  CHECK_NOTHROW(group.kill_all());
  CHECK_NOTHROW(group.thaw());
  CHECK_FALSE(group.stats().pids);
  CHECK_NOTHROW(group.remove());
  CHECK_THROWS_AS(group.freeze(), Error);
}

TEST_CASE("a name that leads out of the hierarchy is refused") {
  for (const auto* name : {"", "/", "..", "a/../b", ".", "a\nb"}) {
    INFO(name);
    CHECK_THROWS_AS(create(detect(), name, any_limit()), Error);
  }
}

TEST_CASE("a new process is in the group from its first step") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  REQUIRE(group->directories().size() == 1);
  CHECK(run_in(*group, [&] { return own_cgroups_name(group.name()) ? 0 : 1; }) == 0);
}

TEST_CASE("a process joins a group of version 1 by descriptors that another has opened") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto files = group->join_files();
  CHECK(files.size() == (group->birth_directory() ? 0 : 1));
  if (files.empty())
    return;
  const auto joins = [&] {
    join_by(files[0].get());
    return own_cgroups_name(group.name()) ? 0 : 1;
  };
  CHECK(run_in(Group{}, joins) == 0);
}

TEST_CASE("a descriptor by which no group can be joined is named") {
  const trine::base::UniqueFd file(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK_THROWS_WITH(join_by(file.get()), Catch::Contains("/dev"));
}

TEST_CASE("a running process is moved into the group with its number") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const pid_t pid = start_in(Group{}, [] { return ::pause(); });
  group->join(pid, false);
  CHECK(group.file("cgroup.procs") == std::to_string(pid));
}

TEST_CASE("removing a group leaves nothing, with what the container made below it") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto directory = group->directories().at(0);
  std::string path = directory;
  for (int depth = 0; depth < 300; ++depth) {
    path += "/d";
    if (::mkdir(path.c_str(), 0755) != 0)
      break;
  }
  for (int i = 0; i < 30; ++i)
    REQUIRE(::mkdir((directory + "/w" + std::to_string(i)).c_str(), 0755) == 0);
  group->remove();
  CHECK_FALSE(exists(directory));
  CHECK(group->directories().empty());
}

TEST_CASE("removing a group twice, or one that is gone, is no error") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto paths = group->directories();
  auto again = open_group(paths);
  group->remove();
  CHECK_NOTHROW(again.remove());
  CHECK(open_group(paths).directories().empty());
}

TEST_CASE("removing a group waits for its last process to end") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto directory = group->directories().at(0);
  const pid_t pid = start_in(*group, [] { return ::usleep(200'000); });
  REQUIRE(eventually([&] { return !group.file("cgroup.procs").empty(); }));
  group->remove();
  CHECK_FALSE(exists(directory));
  CHECK(wait_for(pid) == 0);
}

TEST_CASE("a group that stays busy is named") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto directory = group->directories().at(0);
  start_in(*group, [] { return ::pause(); });
  REQUIRE(eventually([&] { return !group.file("cgroup.procs").empty(); }));
  try {
    group->remove();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errno_value() == EBUSY);
    CHECK(error.message().find(directory) != std::string::npos);
  }
  CHECK(exists(directory));
}

TEST_CASE("a path below the root makes the groups on the way and keeps them") {
  REQUIRE_GROUPS();
  const auto parent = unique_name();
  auto group = create(detect(), "/" + parent + "/inner/leaf", any_limit());
  const auto leaf = group.directories().at(0);
  CHECK(leaf.ends_with("/" + parent + "/inner/leaf"));
  CHECK(run_in(group, [&] { return own_cgroups_name(parent + "/inner/leaf") ? 0 : 1; }) == 0);
  group.remove();
  CHECK_FALSE(exists(leaf));
  const auto inner = leaf.substr(0, leaf.size() - 5);
  CHECK(::rmdir(inner.c_str()) == 0);
  CHECK(::rmdir(inner.substr(0, inner.size() - 6).c_str()) == 0);
}

TEST_CASE("an empty group of the same name is used, one with processes is not") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  CHECK_NOTHROW(create(detect(), group.name(), any_limit()));
  start_in(*group, [] { return ::pause(); });
  REQUIRE(eventually([&] { return !group.file("cgroup.procs").empty(); }));
  try {
    create(detect(), group.name(), any_limit());
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errno_value() == EEXIST);
  }
}

TEST_CASE("what was made is removed before a limit that cannot be had is reported") {
  REQUIRE_GROUPS();
  auto limits = any_limit();
  limits.cpuset_cpus = "100000";  // no machine has it
  const auto name = unique_name();
  CHECK_THROWS_AS(create(detect(), name, limits), Error);
  for (const auto& hierarchy : detect().all)
    CHECK_FALSE(exists(hierarchy.mount_point + "/" + name));
}

TEST_CASE("a group found again by its directories is the same group") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const pid_t pid = start_in(*group, [] { return ::pause(); });
  REQUIRE(eventually([&] { return !group.file("cgroup.procs").empty(); }));
  auto found = open_group(group->directories());
  CHECK(found.directories() == group->directories());
  CHECK(found.birth_directory().has_value() == group->birth_directory().has_value());
  CHECK(found.stats().pids == 1);
  found.kill_all();
  CHECK(wait_for(pid) == 128 + SIGKILL);
}

TEST_CASE("the end of a group is that of its processes") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto directories = group->directories();
  const pid_t pid = start_in(*group, [] { return ::pause(); });
  REQUIRE(eventually([&] { return !group.file("cgroup.procs").empty(); }));
  end_group(directories);
  CHECK(wait_for(pid) == 128 + SIGKILL);
  CHECK_FALSE(exists(directories.at(0)));
  CHECK_NOTHROW(end_group(directories));
}

TEST_CASE("a directory that is no cgroup is never taken for one") {
  const auto directory =
      std::filesystem::temp_directory_path() / ("trine-unit-" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  end_group({directory});
  CHECK(std::filesystem::remove(directory));
  CHECK(open_group({"/tmp", "/proc", "/nonexistent"}).directories().empty());
}
