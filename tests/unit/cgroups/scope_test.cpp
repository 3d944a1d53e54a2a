// Scopes of a real systemd: where it is PID 1, as in the lab with --systemd.
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "cgroups/systemd.h"
#include "in_group.h"

using namespace trine::cgroups;
using trine::base::Error;

namespace {

bool has_systemd() {
  return exists("/run/systemd/system") && ::geteuid() == 0;
}

#define REQUIRE_SYSTEMD()                       \
  if (!has_systemd()) {                         \
    WARN("skipped: systemd does not run here"); \
    return;                                     \
  }

std::string show(const std::string& unit, const std::string& property) {
  const auto result = trine::base::run_program("systemctl", {"show", "--value", "-p", property, unit});
  return std::string(trine::base::trim(result.output));
}

/// A scope of the test's own, gone at its end.
class Scope {
 public:
  explicit Scope(const Limits& limits = {}, std::vector<UnitProperty> properties = {},
                 const std::string& slice = "system.slice")
      : unit_{.slice = slice, .name = unique_name() + ".scope"},
        options_{.helper = TRINE_SYSTEMD, .description = "it's a test", .properties = std::move(properties)},
        group_(create_with_systemd(detect(), unit_, options_, limits)) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    try {
      group_.kill_all();
      stop_systemd_unit(unit_, options_);
      group_.remove();
    } catch (const Error& error) {
      WARN(error.what());
    }
  }
  Group* operator->() { return &group_; }
  Group& operator*() { return group_; }
  [[nodiscard]] const SystemdUnit& unit() const { return unit_; }
  [[nodiscard]] const SystemdOptions& options() const { return options_; }
  [[nodiscard]] std::string property(const std::string& name) const { return show(unit_.name, name); }
  [[nodiscard]] std::string file(const std::string& name) const { return read_group_file(group_, name); }

 private:
  SystemdUnit unit_;
  SystemdOptions options_;
  Group group_;
};

/// Whether this is a user with a manager of one's own.
bool has_own_manager() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  return ::geteuid() != 0 && runtime != nullptr && exists(std::string(runtime) + "/systemd/private") &&
         detect().layout == Layout::kV2;
}

/// Whether a process of ours can be born in a scope of that manager: we are in its tree.
bool is_below_own_manager() {
  const auto text = trine::base::read_file("/proc/self/cgroup");
  return text.find("/user@" + std::to_string(::geteuid()) + ".service/") != std::string::npos;
}

Limits some_limits() {
  Limits limits;
  limits.memory_bytes = 64 << 20;
  limits.pids_max = 33;
  limits.cpu = CpuQuota{.quota_us = 33'333, .period_us = 100'000};
  limits.cpu_shares = 512;
  return limits;
}

std::string quota_of(const Scope& scope) {
  return on_v1("cpu") ? scope.file("cpu.cfs_quota_us") + " " + scope.file("cpu.cfs_period_us")
                      : scope.file("cpu.max");
}

}  // namespace

TEST_CASE("without systemd as PID 1 the error says so, and what to do") {
  if (exists("/run/systemd/system")) {
    WARN("skipped: systemd runs here");
    return;
  }
  try {
    const Scope scope;
    FAIL("no error");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains("not started by it"));
    CHECK_THAT(error.hint(), Catch::Contains("cgroupfs"));
  }
}

TEST_CASE("a scope is a unit in its slice with limits in the kernel's units") {
  REQUIRE_SYSTEMD();
  Scope scope(some_limits(), {}, "trine-test.slice");
  CHECK(scope.property("ActiveState") == "active");
  CHECK(scope.property("Slice") == "trine-test.slice");
  CHECK(scope.property("Description") == "it's a test");
  CHECK(scope.property("ControlGroup") == slice_path("trine-test.slice") + "/" + scope.unit().name);
  for (const auto& directory : scope->directories())
    CHECK(directory.ends_with(slice_path("trine-test.slice") + "/" + scope.unit().name));
  CHECK(scope->directories().size() == detect().all.size());
  CHECK(scope.file("pids.max") == "34");  // until it is settled, one more: for the process that holds it
  CHECK(quota_of(scope) == "33333 100000");
  CHECK(scope.property(on_v1("memory") ? "MemoryLimit" : "MemoryMax") == "67108864");
}

TEST_CASE("a process is born in the scope, which ends with it once it is settled") {
  REQUIRE_SYSTEMD();
  Scope scope;
  const pid_t pid = start_in(*scope, [] { return ::pause(); });
  REQUIRE(eventually([&] { return scope->stats().pids.value_or(0) == 2; }));
  scope->settle();
  CHECK(scope->stats().pids == 1U);
  scope->settle();
  CHECK(scope.property("ActiveState") == "active");
  ::kill(pid, SIGKILL);
  CHECK(wait_for(pid) == 128 + SIGKILL);
  CHECK(eventually([&] { return scope.property("ActiveState") == "inactive"; }));
}

TEST_CASE("a limit of one process leaves room for the container's first one") {
  REQUIRE_SYSTEMD();
  Limits limits;
  limits.pids_max = 1;
  Scope scope(limits);
  const pid_t pid = start_in(*scope, [] { return ::pause(); });
  REQUIRE(eventually([&] { return scope->stats().pids.value_or(0) == 2; }));
  scope->settle();
  CHECK(scope.file("pids.max") == "1");
  CHECK(scope.property("TasksMax") == "1");
  ::kill(pid, SIGKILL);
  wait_for(pid);
}

TEST_CASE("limits outlive systemd's reading of its configuration") {
  REQUIRE_SYSTEMD();
  auto limits = some_limits();
  limits.devices = {{.allow = false}, {.allow = true, .type = 'c', .major = 1, .minor = 3, .access = "rwm"}};
  Scope scope(limits);
  const auto denied = [&] {
    return run_in(*scope,
                  [] { return ::access("/dev/zero", R_OK) == 0 && ::open("/dev/zero", 0) >= 0 ? 1 : 0; });
  };
  CHECK(denied() == 0);
  trine::base::run_program("systemctl", {"daemon-reload"});
  CHECK(scope.file(on_v1("memory") ? "memory.limit_in_bytes" : "memory.max") == "67108864");
  CHECK(scope.file("pids.max") == "33");
  CHECK(scope.file(on_v1("cpu") ? "cpu.shares" : "cpu.weight") == (on_v1("cpu") ? "512" : "20"));
  CHECK(denied() == 0);
}

TEST_CASE("an update reaches the unit and the files") {
  REQUIRE_SYSTEMD();
  Scope scope(some_limits());
  Limits limits;
  limits.memory_bytes = 32 << 20;
  limits.cpu = CpuQuota{.quota_us = 12'345, .period_us = 100'000};
  update_with_systemd(*scope, scope.unit(), scope.options(), limits);
  CHECK(scope.property(on_v1("memory") ? "MemoryLimit" : "MemoryMax") == "33554432");
  CHECK(scope.file(on_v1("memory") ? "memory.limit_in_bytes" : "memory.max") == "33554432");
  CHECK(quota_of(scope) == "12345 100000");
  CHECK(scope.file("pids.max") == "33");
}

TEST_CASE("annotations are properties of the unit and win") {
  REQUIRE_SYSTEMD();
  Scope scope(some_limits(), {{"TimeoutStopSec", "7"}, {"TasksMax", "uint64 44"}, {"Description", "'mine'"}});
  CHECK(scope.property("TimeoutStopUSec") == "7s");
  CHECK(scope.property("TasksMax") == "44");
  CHECK(scope.property("Description") == "mine");
}

TEST_CASE("a property that systemd does not know is an error with its reason, and leaves no scope") {
  REQUIRE_SYSTEMD();
  for (const UnitProperty& property :
       std::vector<UnitProperty>{{"NoSuchProperty", "true"}, {"MemoryMax", "'much'"}}) {
    try {
      const Scope scope({}, {property});
      FAIL("no error");
    } catch (const Error& error) {
      INFO(error.what());
      CHECK_THAT(error.what(), Catch::Contains("systemd does not start trine-unit-"));
    }
  }
}

TEST_CASE("two scopes cannot have one name, and a stopped one gives it back") {
  REQUIRE_SYSTEMD();
  auto first = std::make_unique<Scope>();
  const auto unit = first->unit();
  const auto options = first->options();
  CHECK_THROWS_WITH(create_with_systemd(detect(), unit, options, {}), Catch::Contains("already"));
  first.reset();
  auto second = create_with_systemd(detect(), unit, options, {});
  CHECK(show(unit.name, "ActiveState") == "active");
  second.settle();
  stop_systemd_unit(unit, options);
  CHECK_NOTHROW(stop_systemd_unit(unit, options));
  CHECK_NOTHROW(second.remove());
}

TEST_CASE("a process that ended before systemd moved it leaves no scope") {
  REQUIRE_SYSTEMD();
  const pid_t ended = ::fork();
  if (ended == 0)
    ::_exit(0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(ended), &info, WEXITED | WNOWAIT) == 0);
  const SystemdUnit unit{.slice = "system.slice", .name = unique_name() + ".scope"};
  const SystemdOptions options{.helper = TRINE_SYSTEMD, .pids = {ended}};
  CHECK_THROWS_AS(create_with_systemd(detect(), unit, options, {}), Error);
  CHECK(show(unit.name, "LoadState") == "not-found");
  wait_for(ended);
}

TEST_CASE("a scope is stopped for being empty only when it is") {
  REQUIRE_SYSTEMD();
  const Scope scope;
  stop_empty_systemd_unit(scope.unit(), scope.options());
  CHECK(scope.property("ActiveState") == "active");
  CHECK_NOTHROW(
      stop_empty_systemd_unit({.slice = "system.slice", .name = unique_name() + ".scope"}, scope.options()));
}

TEST_CASE("a process that is named is moved into the scope, and no placeholder is made") {
  REQUIRE_SYSTEMD();
  const pid_t pid = start_in(Group{}, [] { return ::pause(); });
  const SystemdUnit unit{.slice = "system.slice", .name = unique_name() + ".scope"};
  const SystemdOptions options{.helper = TRINE_SYSTEMD, .description = "a test", .pids = {pid}};
  auto group = create_with_systemd(detect(), unit, options, {});
  CHECK(group.stats().pids == 1U);
  group.kill_all();
  wait_for(pid);
  stop_systemd_unit(unit, options);
  group.remove();
}

TEST_CASE("a user's process is moved into a scope of the user's own manager, with limits") {
  if (!has_own_manager()) {
    WARN("skipped: this is no user with a systemd of one's own on version 2");
    return;
  }
  const pid_t pid = start_in(Group{}, [] { return ::pause(); });
  const SystemdUnit unit{.slice = "user.slice", .name = unique_name() + ".scope"};
  const SystemdOptions options{.helper = TRINE_SYSTEMD, .user = true, .description = "a test", .pids = {pid}};
  Limits limits;
  limits.memory_bytes = 64 << 20;
  limits.pids_max = 12;
  limits.devices = {{.allow = false}};  // passed over: a user cannot control devices
  auto group = create_with_systemd(detect(), unit, options, limits);
  CHECK(group.stats().pids == 1U);
  CHECK(read_group_file(group, "memory.max") == "67108864");
  CHECK(read_group_file(group, "pids.max") == "12");
  limits = {};
  limits.memory_bytes = 32 << 20;
  update_with_systemd(group, unit, options, limits);
  CHECK(read_group_file(group, "memory.max") == "33554432");
  ::kill(pid, SIGKILL);
  wait_for(pid);
  stop_systemd_unit(unit, options);
  CHECK_NOTHROW(group.remove());
}

TEST_CASE("a process of a user's service is born in a scope of the user's own manager") {
  if (!has_own_manager() || !is_below_own_manager()) {
    WARN("skipped: this is no process below a user's own systemd on version 2");
    return;
  }
  const SystemdUnit unit{.slice = "user.slice", .name = unique_name() + ".scope"};
  const SystemdOptions options{.helper = TRINE_SYSTEMD, .user = true, .description = "a test"};
  auto group = create_with_systemd(detect(), unit, options, {});
  const pid_t pid = start_in(group, [] { return ::pause(); });
  REQUIRE(eventually([&] { return group.stats().pids == 2U; }));
  group.settle();
  CHECK(group.stats().pids == 1U);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  stop_systemd_unit(unit, options);
  CHECK_NOTHROW(group.remove());
}
