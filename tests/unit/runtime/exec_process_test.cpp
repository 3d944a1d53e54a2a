#include "engine/exec_process.h"

#include <catch2/catch.hpp>

#include "isolation/capabilities.h"

using namespace trine;
using namespace trine::runtime;
using engine::ExecOptions;
using engine::make_exec_process;

namespace {

constexpr std::uint64_t kCapabilities = 0xa80425fb;

/// What `run -u user --init` of an image gave.
backend::JoinedProcess first() {
  backend::JoinedProcess made;
  made.process.args = {"server"};
  made.process.env = {"PATH=/bin", "A=1", "B=2"};
  made.process.cwd = "/srv";
  made.process.create_cwd = true;
  made.process.init = true;
  made.process.resolve_user = true;
  made.process.user = {.name = "user", .umask = 027};
  made.process.capabilities = {.bounding = kCapabilities, .inheritable = 1, .ambient = 1};
  made.process.rlimits = {{.resource = 7, .soft = 100, .hard = 200}};
  made.process.no_new_privileges = true;
  made.seccomp = isolation::SeccompFilter{.program = "filter"};
  return made;
}

isolation::Process made_of(const ExecOptions& options) {
  return make_exec_process(first(), options).process;
}

}  // namespace

TEST_CASE("exec's process is as the first one, but for its command") {
  const auto made = make_exec_process(first(), {.command = {"id", "-u"}});
  CHECK(made.process.args == std::vector<std::string>{"id", "-u"});
  CHECK(made.process.env == first().process.env);
  CHECK(made.process.cwd == "/srv");
  CHECK(made.process.user.name == "user");
  CHECK(made.process.capabilities.bounding == kCapabilities);
  CHECK(made.process.capabilities.ambient == 1);
  CHECK(made.process.rlimits.size() == 1);
  CHECK(made.process.no_new_privileges);
  CHECK(made.seccomp->program == "filter");
}

TEST_CASE("exec's process is no reaper, and a missing directory is not made for it") {
  CHECK_FALSE(made_of({}).init);
  CHECK_FALSE(made_of({}).create_cwd);
}

TEST_CASE("exec's variables are put over the instance's") {
  const auto env = made_of({.env = {"A=new", "C=3", "B"}}).env;
  CHECK(env == std::vector<std::string>{"PATH=/bin", "A=new", "C=3"});
}

TEST_CASE("a terminal brings TERM, unless there is one") {
  CHECK(made_of({.terminal = true}).env.back() == "TERM=xterm");
  CHECK(made_of({.env = {"TERM=vt100"}, .terminal = true}).env.back() == "TERM=vt100");
}

TEST_CASE(
    "another user has root's capabilities when it is root, else none to begin with, and never inheritable "
    "ones") {
  for (const char* root : {"0", "root", "root:wheel", "0:5"}) {
    const auto made = made_of({.user = root});
    CHECK(made.user.name == root);
    CHECK(made.user.umask == 027U);
    CHECK(made.capabilities.effective == kCapabilities);
    CHECK(made.capabilities.permitted == kCapabilities);
    CHECK((made.capabilities.inheritable | made.capabilities.ambient) == 0);
  }
  const auto other = made_of({.user = "www-data"}).capabilities;
  CHECK(other.bounding == kCapabilities);
  CHECK((other.effective | other.permitted | other.inheritable | other.ambient) == 0);
}

TEST_CASE("an empty user is none given") {
  CHECK(made_of({.user = ""}).user.name == "user");
}

TEST_CASE("privileged, it gets all capabilities and keeps the filter") {
  const auto made = make_exec_process(first(), {.user = "0", .privileged = true});
  CHECK(made.process.capabilities.effective == isolation::available_capabilities());
  CHECK(made.seccomp->program == "filter");
}

TEST_CASE("a user is looked up in an instance of a bundle, whose own is a number") {
  auto bundle = first();
  bundle.process.resolve_user = false;
  bundle.process.user = {.uid = 5};
  CHECK_FALSE(make_exec_process(bundle, {}).process.resolve_user);
  CHECK(make_exec_process(bundle, {.user = "user"}).process.resolve_user);
  const auto privileged = make_exec_process(bundle, {.privileged = true}).process.capabilities;
  CHECK(privileged.bounding == isolation::available_capabilities());
  CHECK(privileged.effective == 0);
}

TEST_CASE("a process is read as it was kept, and of damaged or another version's bytes there is none") {
  const std::string bytes = backend::encode_process(first());
  const auto read = backend::decode_process(bytes);
  REQUIRE(read);
  CHECK(read->process.env == first().process.env);
  CHECK(read->process.capabilities.bounding == kCapabilities);
  CHECK(read->seccomp->program == "filter");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(backend::decode_process(bytes.substr(0, size)));
  std::string other = bytes;
  other[other.find('\n') - 1]++;
  CHECK_FALSE(backend::decode_process(other));
}
