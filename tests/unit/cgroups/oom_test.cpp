#include "cgroups/oom.h"

#include <catch2/catch.hpp>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "in_group.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

Limits sixteen_mebibytes() {
  Limits limits;
  limits.memory_bytes = 16 << 20;
  limits.memory_swap_bytes = 16 << 20;
  limits.memory_swap_is_default = true;
  return limits;
}

bool has_news(const OomWatch& watch, int milliseconds) {
  pollfd waiting{.fd = watch.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE("a watch tells when a group runs out of memory, and who was killed for it") {
  REQUIRE_CONTROLLER("memory", "memory");
  TestGroup group(sixteen_mebibytes());
  OomWatch watch(*group);
  CHECK_FALSE(has_news(watch, 0));
  const pid_t other = start_in(*group, [] { return ::pause(); });  // so that the group does not end
  CHECK(run_in(*group, [] { return use_memory(std::size_t{64} << 20); }) == 128 + SIGKILL);
  OomNews sum;
  while (has_news(watch, 500) && sum.kills == 0) {
    const auto news = watch.read();
    sum.events += news.events;
    sum.kills += news.kills;
    CHECK_FALSE(news.ended);
  }
  CHECK(sum.events >= 1);
  CHECK(sum.kills == 1);
  CHECK_FALSE(has_ended(other));
}

TEST_CASE("a watch tells when the group is removed") {
  REQUIRE_CONTROLLER("memory", "memory");
  TestGroup group(sixteen_mebibytes());
  OomWatch watch(*group);
  CHECK(run_in(*group, [] { return 0; }) == 0);
  group->remove();
  REQUIRE(has_news(watch, 2000));
  const auto news = watch.read();
  CHECK(news.ended);
  CHECK(news.kills == 0);
}

TEST_CASE("on version 2 a watch tells when the last process has ended") {
  REQUIRE_CONTROLLER("memory", "memory");
  if (on_v1("memory")) {
    WARN("skipped: the memory controller is on version 1 here");
    return;
  }
  TestGroup group(sixteen_mebibytes());
  OomWatch watch(*group);
  const pid_t pid = start_in(*group, [] { return ::pause(); });
  REQUIRE(has_news(watch, 2000));
  CHECK_FALSE(watch.read().ended);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  REQUIRE(has_news(watch, 2000));
  CHECK(watch.read().ended);
}

TEST_CASE("a group that does not account for memory cannot be watched, and the error says why") {
  try {
    const OomWatch watch(Group{});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.errno_value() == ENOENT);
    CHECK_THAT(error.what(), Catch::Contains("no memory controller"));
    CHECK_FALSE(error.hint().empty());
  }
}
