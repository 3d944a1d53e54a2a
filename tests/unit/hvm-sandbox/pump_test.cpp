#include "hvm-sandbox/pump.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>

using trine::base::UniqueFd;
using trine::hvm::Pump;

namespace {

struct Pipe {
  UniqueFd read, write;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
};

void turn(Pump& pump) {
  std::array<pollfd, Pump::kWaits> waits{};
  pump.prepare(waits);
  REQUIRE(::poll(waits.data(), waits.size(), 0) >= 0);
  pump.carry(waits);
}

}  // namespace

TEST_CASE("a pump carries everything, then ends") {
  Pipe in, out;
  Pump pump(std::move(in.read), std::move(out.write), Pump::Target::kShared);
  const std::string text(20'000, 'x');
  REQUIRE(::write(in.write.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  in.write.reset();
  std::string got;
  std::array<char, 4096> bytes;
  for (int turns = 0; turns < 100 && !pump.done(); ++turns) {
    turn(pump);
    for (ssize_t n = 0; (n = ::read(out.read.get(), bytes.data(), bytes.size())) > 0;)
      got.append(bytes.data(), static_cast<std::size_t>(n));
  }
  CHECK(pump.done());
  CHECK(got == text);
}

TEST_CASE("a pump whose reader is gone lets go of its writer") {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in, out;
  Pump pump(std::move(in.read), std::move(out.write), Pump::Target::kOwn);
  out.read.reset();
  turn(pump);
  CHECK(pump.done());
  CHECK(::write(in.write.get(), "x", 1) == -1);
}

TEST_CASE("a pump does not take more than a slow reader has room for") {
  Pipe in, out;
  Pump pump(std::move(in.read), std::move(out.write), Pump::Target::kOwn);
  std::size_t written = 0;
  const std::string block(4096, 'x');
  for (int turns = 0; turns < 500; ++turns) {
    const ssize_t n = ::write(in.write.get(), block.data(), block.size());
    if (n > 0)
      written += static_cast<std::size_t>(n);
    turn(pump);
  }
  CHECK(written < 300'000);
}

TEST_CASE("a socket's other direction outlives the pump that writes to it") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  Pipe in;
  Pump pump(std::move(in.read), UniqueFd(::dup(ours.get())), Pump::Target::kOwn);
  in.write.reset();
  turn(pump);
  CHECK(pump.done());
  char byte = 0;
  CHECK(::read(theirs.get(), &byte, 1) == 0);
  REQUIRE(::write(theirs.get(), "y", 1) == 1);
  CHECK(::read(ours.get(), &byte, 1) == 1);
}
