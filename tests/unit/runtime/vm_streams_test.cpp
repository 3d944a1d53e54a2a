#include "backend/vm_streams.h"

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "isolation/start.h"
#include "scratch.h"

using namespace trine;
using namespace trine::hvm;
using namespace trine::runtime::backend;

namespace {

struct Pair {
  base::UniqueFd host, guest;
  Pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    host.reset(ends[0]);
    guest.reset(ends[1]);
  }
};

/// How many descriptors a stream of this kind makes the host keep.
int kept(VmStreams& streams, StreamKind kind) {
  Pair pair;
  const int before = test::open_descriptors();
  streams.add(kind, std::move(pair.host));
  return test::open_descriptors() - before + 1;
}

}  // namespace

TEST_CASE("a stream that the process was not asked for with is closed") {
  VmStreams plain(false, false);
  CHECK(kept(plain, StreamKind::kTerminal) == 0);
  CHECK(kept(plain, StreamKind::kInput) == 0);
  CHECK(kept(plain, static_cast<StreamKind>(4)) == 0);
  CHECK(kept(plain, static_cast<StreamKind>(0xffffffff)) == 0);
  VmStreams terminal(true, true);
  CHECK(kept(terminal, StreamKind::kOutput) == 0);
  CHECK(kept(terminal, StreamKind::kTerminal) > 0);
}

TEST_CASE("each kind of stream is taken once") {
  VmStreams streams(false, true);
  for (const StreamKind kind : {StreamKind::kInput, StreamKind::kOutput, StreamKind::kError}) {
    CHECK(kept(streams, kind) > 0);
    CHECK(kept(streams, kind) == 0);
  }
}

TEST_CASE("a greeting may be late, whole or wrong") {
  const Pair pair;
  CHECK_FALSE(read_greeting(pair.host.get()).closed);
  const std::string hello = wire::encode(StreamHello{.request = 5, .kind = StreamKind::kError});
  REQUIRE(::write(pair.guest.get(), hello.data(), hello.size()) == kStreamHelloBytes);
  const auto greeting = read_greeting(pair.host.get());
  REQUIRE(greeting.hello);
  CHECK(greeting.hello->request == 5);
  REQUIRE(::write(pair.guest.get(), "short", 5) == 5);
  CHECK(read_greeting(pair.host.get()).closed);
}

TEST_CASE("a guest's failure is an error of the kind that it says, and garbage is one too") {
  CHECK_THROWS_AS(throw_failure(wire::encode(Failure{.message = "no", .exit_code = 127})),
                  isolation::ExecError);
  CHECK_THROWS_WITH(throw_failure(wire::encode(Failure{.message = "no layers"})),
                    Catch::Contains("in the guest: no layers"));
  CHECK_THROWS_AS(throw_failure("garbage"), base::Error);
}
