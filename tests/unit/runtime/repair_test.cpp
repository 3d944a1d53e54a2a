// What a trine that was killed leaves behind, made by hand, and what the next one makes of it.
#include <catch2/catch.hpp>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/error.h"
#include "base/process.h"
#include "base/time.h"
#include "engine/layout.h"
#include "engine/record.h"
#include "runtime/engine/instance.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime::engine;

namespace {

const std::string kId(64, 'a');

/// State directories with one instance in them, whose trine is gone: nobody holds its lock.
class State {
 public:
  State() {
    scratch_.make_directory("run/instances/" + kId);
    scratch_.make_directory("lib/instances/" + kId + "/upper");
    scratch_.make_directory("lib/names");
    scratch_.make_symlink("lib/names/web", kId);
    record_.id = kId;
    record_.name = "web";
    record_.status = "running";
    record_.pid = 0x7fffffff;  // no machine has so many
    record_.created = base::now_utc();
  }
  [[nodiscard]] Record& record() { return record_; }
  void write(const std::string& text) const { scratch_.make_file(run_record(), text); }
  void save() const { write(to_json(record_)); }

  [[nodiscard]] Paths paths() const { return {.run = scratch_.path("run"), .lib = scratch_.path("lib")}; }
  [[nodiscard]] bool is_in_run() const { return scratch_.has("run/instances/" + kId); }
  [[nodiscard]] bool is_in_lib() const { return scratch_.has("lib/instances/" + kId); }
  [[nodiscard]] bool has_name() const { return scratch_.has("lib/names/web"); }
  [[nodiscard]] std::optional<Record> kept() const {
    return read_record(scratch_.path("lib/instances/" + kId));
  }
  [[nodiscard]] const test::Scratch& scratch() const { return scratch_; }

 private:
  static std::string run_record() { return "run/instances/" + kId + "/record.json"; }
  test::Scratch scratch_;
  Record record_;
};

/// A process that waits to be killed, and does not outlive the test.
class Sleeper {
 public:
  Sleeper() : process_(base::clone_process({})) {
    if (process_)
      return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      ::pause();
  }
  ~Sleeper() {
    process_.signal(SIGKILL);
    if (!ended_)
      process_.wait();
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  bool has_ended() {
    ended_ = ended_ || process_.try_wait().has_value();
    return ended_;
  }

 private:
  base::Process process_;
  bool ended_ = false;
};

}  // namespace

TEST_CASE("a dead instance that ran is kept as one that was killed") {
  State state;
  state.save();
  repair(state.paths());
  CHECK_FALSE(state.is_in_run());
  REQUIRE(state.kept());
  CHECK(state.kept()->status == "exited");
  CHECK(state.kept()->exit_code == 137);
  CHECK(state.kept()->pid == 0);
  CHECK_FALSE(state.kept()->finished.empty());
  CHECK(state.has_name());
  CHECK(state.scratch().has("lib/instances/" + kId + "/upper"));
}

TEST_CASE("of a dead instance that was to be removed, or never ran, nothing is left") {
  for (const bool ran : {true, false}) {
    State state;
    state.record().remove = ran;
    state.record().status = ran ? "running" : "created";
    state.save();
    repair(state.paths());
    CHECK_FALSE(state.is_in_run());
    CHECK_FALSE(state.is_in_lib());
    CHECK_FALSE(state.has_name());
  }
}

TEST_CASE("a dead instance whose record is damaged, or missing, is cleared away") {
  for (const char* text : {"", "{\"id\":\"a", "[]", "{\"id\":1}"}) {
    State state;
    if (*text != '\0')
      state.write(text);
    repair(state.paths());
    CHECK_FALSE(state.is_in_run());
    CHECK_FALSE(state.is_in_lib());
    CHECK(list_instances(state.paths()).empty());
  }
}

TEST_CASE("a name whose owner was cleared away without a record can be taken again") {
  const State state;
  repair(state.paths());
  const Instance instance = Instance::create(state.paths(), "web", true);
  CHECK(instance.record().name == "web");
}

TEST_CASE("a name that has become another's is not given back") {
  State state;
  state.record().remove = true;
  state.save();
  ::unlink(state.scratch().path("lib/names/web").c_str());
  state.scratch().make_symlink("lib/names/web", kId + "b");
  repair(state.paths());
  CHECK_FALSE(state.is_in_run());
  CHECK(state.has_name());
}

TEST_CASE("an instance whose lock is held is not touched") {
  State state;
  state.save();
  const auto lock = lock_directory(run_root(state.paths()) + "/" + kId, LockKind::kExclusive);
  repair(state.paths());
  CHECK(state.is_in_run());
  CHECK(list_instances(state.paths()).at(0).status == "running");
}

TEST_CASE("nothing is cleared away while an instance is being made, which may not have its lock yet") {
  State state;
  state.save();
  const auto birth = lock_directory(run_root(state.paths()), LockKind::kShared);
  repair(state.paths());
  CHECK(state.is_in_run());
}

TEST_CASE("the process of a dead instance is killed") {
  State state;
  Sleeper sleeper;
  state.record().pid = sleeper.pid();
  state.record().start_time = base::process_info(sleeper.pid()).start_time;
  state.save();
  repair(state.paths());
  CHECK(sleeper.has_ended());
}

TEST_CASE("a process that only has the number of a dead instance's is spared") {
  State state;
  Sleeper sleeper;
  state.record().pid = sleeper.pid();
  state.record().start_time = base::process_info(sleeper.pid()).start_time + 1;
  state.save();
  repair(state.paths());
  CHECK_FALSE(state.is_in_run());
  CHECK_FALSE(sleeper.has_ended());
}

TEST_CASE("instances with damaged records do not keep the others from being listed") {
  State state;
  state.save();
  for (const char* name : {"b", "c", "d"})
    state.scratch().make_directory(std::string("lib/instances/") + name);
  state.scratch().make_file("lib/instances/b/record.json", "{");
  state.scratch().make_directory("lib/instances/c/record.json");
  state.scratch().make_file("lib/instances/d/record.json", std::string(2 << 20, ' '));
  const auto list = list_instances(state.paths());
  REQUIRE(list.size() == 1);
  CHECK(list[0].id == kId);
}

TEST_CASE("an instance is found by name, id or the beginning of its id") {
  State state;
  state.save();
  for (const std::string& reference : {std::string("web"), kId, kId.substr(0, 5)})
    CHECK(find_instance(state.paths(), reference).id == kId);
  for (const char* reference : {"", "we", "b"})
    CHECK_THROWS_AS(find_instance(state.paths(), reference), base::Error);
}
