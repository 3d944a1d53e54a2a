#include "runtime/engine/lifecycle.h"

#include <catch2/catch.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/process.h"
#include "runtime/backend/recorded_process.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime;
using namespace trine::runtime::engine;

namespace {

/// An instance of ours that "runs": its process is a child that waits for the end.
class Running {
 public:
  explicit Running(bool remove) : instance_(Instance::create(paths(), "web", remove)) {
    process_ = base::clone_process({});
    if (!process_) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        ::pause();
    }
    Record& record = instance_->record();
    record.pid = process_.pid();
    record.start_time = base::process_info(record.pid).start_time;
    record.status = "running";
    record.stop_signal = "SIGHUP";
    instance_->keep_process("what it was given, which is longer than an exit code");
    instance_->save();
  }
  ~Running() { end(SIGKILL); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] Paths paths() const { return {.run = scratch_.path("run"), .lib = scratch_.path("lib")}; }
  Instance& instance() { return *instance_; }
  base::ExitStatus wait() {
    waited_ = true;
    return process_.wait();
  }
  void end(int signal) {
    if (waited_)
      return;
    process_.signal(signal);
    wait();
  }
  /// As its trine does when the process has ended.
  void finish(int code) {
    instance_->finish(code, false);
    instance_.reset();
  }

 private:
  test::Scratch scratch_;
  std::optional<Instance> instance_;
  base::Process process_;
  bool waited_ = false;
};

}  // namespace

TEST_CASE("the exit code of an instance that is removed at its end is not missed") {
  Running running(true);
  AwaitedEnd end(running.paths(), "web");
  running.end(SIGKILL);
  running.finish(7);
  CHECK(list_instances(running.paths()).empty());
  CHECK(end.wait() == 7);
}

TEST_CASE("who waits is told when the instance ends, and not before") {
  Running running(true);
  AwaitedEnd end(running.paths(), "web");
  std::thread ender([&] {
    running.end(SIGKILL);
    running.finish(255);
  });
  CHECK(end.wait() == 255);
  ender.join();
}

TEST_CASE("the exit code of an instance that has ended is known") {
  Running running(false);
  running.end(SIGKILL);
  running.finish(9);
  CHECK(AwaitedEnd(running.paths(), "web").wait() == 9);
}

TEST_CASE("an instance that is not there cannot be waited for") {
  const Running running(true);
  CHECK_THROWS_AS(AwaitedEnd(running.paths(), "other"), base::Error);
}

TEST_CASE("stop sends each its own stop signal and reports when it has ended") {
  Running running(false);
  base::ExitStatus status;
  std::thread trine([&] {
    status = running.wait();
    running.finish(status.code);
  });
  int reports = 0;
  stop_instances(running.paths(), {"web"}, std::chrono::seconds(60),
                 [&](const std::string& reference, const base::Error* error) {
                   CHECK(reference == "web");
                   CHECK(error == nullptr);
                   ++reports;
                 });
  trine.join();
  CHECK(reports == 1);
  CHECK(status.signal == SIGHUP);
}

TEST_CASE("stop says so of what there is not, and goes on with the others") {
  Running running(false);
  running.end(SIGKILL);
  running.finish(0);
  std::vector<std::string> ended, failed;
  stop_instances(running.paths(), {"nobody", "web"}, std::chrono::seconds(60),
                 [&](const std::string& reference, const base::Error* error) {
                   (error == nullptr ? ended : failed).push_back(reference);
                 });
  CHECK(failed == std::vector<std::string>{"nobody"});
  CHECK(ended == std::vector<std::string>{"web"});
}

TEST_CASE("what has ended cannot be killed") {
  Running running(false);
  running.end(SIGKILL);
  CHECK_THROWS_WITH(kill_instance(running.paths(), "web", SIGTERM), Catch::Contains("not running"));
  running.finish(0);
}

TEST_CASE("a process of another start time is not the recorded one") {
  const auto start = base::process_info(::getpid()).start_time;
  CHECK(backend::open_process(::getpid(), start));
  CHECK_FALSE(backend::open_process(::getpid(), start + 1));
  CHECK_FALSE(backend::open_process(0, 0));
}
