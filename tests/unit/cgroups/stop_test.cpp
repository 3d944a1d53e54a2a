// Freezing and killing.
#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <new>

#include "cgroups/group.h"
#include "detect.h"
#include "in_group.h"

using namespace trine::cgroups;

namespace {

Limits any_limit() {
  Limits limits;
  limits.pids_max = 50;
  return limits;
}

/// A counter that a child advances as long as it runs.
class Pulse {
 public:
  Pulse()
      : counter_(new(::mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                            0)) Counter(0)) {}
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;
  ~Pulse() { ::munmap(counter_, sizeof(Counter)); }

  [[noreturn]] void beat() {
    for (;;) {
      ++*counter_;
      ::usleep(1'000);
    }
  }
  [[nodiscard]] bool beats() const {
    const int before = *counter_;
    return eventually([&] { return *counter_ > before + 2; });
  }
  [[nodiscard]] bool is_still() const {
    const int before = *counter_;
    ::usleep(100'000);
    return *counter_ == before;
  }

 private:
  using Counter = std::atomic<int>;
  Counter* counter_;
};

}  // namespace

TEST_CASE("killing a group kills every process in it and in groups below it") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const auto below = group->directories().at(0) + "/below";
  REQUIRE(::mkdir(below.c_str(), 0755) == 0);
  const pid_t one = start_in(*group, [] { return ::pause(); });
  const pid_t two = start_in(*group, [] { return ::pause(); });
  const auto lower = open_group({below});
  const pid_t three = start_in(lower, [] { return ::pause(); });
  REQUIRE(eventually([&] { return lower.stats().pids == 1 && group->stats().pids == 3; }));
  group->kill_all();
  for (const pid_t pid : {one, two, three}) {
    REQUIRE(eventually([pid] { return has_ended(pid); }));
    CHECK(wait_for(pid) == 128 + SIGKILL);
  }
  CHECK_NOTHROW(group->remove());
}

TEST_CASE("killing a group does not spare one that forks all the time") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  const pid_t pid = start_in(*group, []() -> int {
    std::signal(SIGCHLD, SIG_IGN);
    for (;;) {
      if (::fork() == 0)
        ::usleep(500);
    }
  });
  ::usleep(50'000);
  group->kill_all();
  CHECK(wait_for(pid) == 128 + SIGKILL);
  CHECK(group.file("cgroup.procs").empty());
}

TEST_CASE("a frozen group stands still and runs on when thawed") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  Pulse pulse;
  start_in(*group, [&pulse]() -> int { pulse.beat(); });
  REQUIRE(pulse.beats());
  group->freeze();
  CHECK(pulse.is_still());
  group->thaw();
  CHECK(pulse.beats());
}

TEST_CASE("freezing touches the freezer's hierarchy only then, and removing the group removes that too") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  CHECK(group->directories().size() == 1);
  Pulse pulse;
  start_in(*group, [&pulse]() -> int { pulse.beat(); });
  REQUIRE(pulse.beats());
  group->freeze();
  const auto paths = group->directories();
  CHECK(paths.size() == (group->birth_directory() ? 1 : 2));
  // Another command finds the group by the new record.
  auto found = open_group(paths);
  found.thaw();
  CHECK(pulse.beats());
  found.kill_all();
  found.remove();
  for (const auto& path : paths)
    CHECK_FALSE(exists(path));
}

TEST_CASE("a frozen group is killed without being thawed first") {
  REQUIRE_GROUPS();
  TestGroup group(any_limit());
  Pulse pulse;
  const pid_t pid = start_in(*group, [&pulse]() -> int { pulse.beat(); });
  REQUIRE(pulse.beats());
  group->freeze();
  group->kill_all();
  REQUIRE(eventually([pid] { return has_ended(pid); }));
  CHECK(wait_for(pid) == 128 + SIGKILL);
}
