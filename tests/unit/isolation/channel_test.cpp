#include "channel.h"

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/error.h"

using namespace trine;
using namespace trine::isolation;

TEST_CASE("a message says its kind, and the end of the stream is no message") {
  ChannelPair pair = make_channel();
  pair.caller.send(MessageKind::kMapped);
  const auto message = pair.child.receive();
  REQUIRE(message);
  CHECK(message->kind == MessageKind::kMapped);
  CHECK_FALSE(message->fd);
  pair.caller.close();
  CHECK_FALSE(pair.child.receive());
}

TEST_CASE("a descriptor arrives as another one of the same file") {
  const ChannelPair pair = make_channel();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const base::UniqueFd reader(ends[0]);
  {
    const base::UniqueFd writer(ends[1]);
    pair.child.send(MessageKind::kTerminal, writer.get());
  }
  const auto message = pair.caller.receive();
  REQUIRE(message);
  REQUIRE(message->fd);
  CHECK(::write(message->fd.get(), "x", 1) == 1);
  char byte = 0;
  CHECK(::read(reader.get(), &byte, 1) == 1);
  CHECK(byte == 'x');
}

TEST_CASE("a failure arrives whole, and cut where it is too long") {
  const ChannelPair pair = make_channel();
  pair.child.send_failure(
      {.message = "no such file", .hint = "a cure", .errno_value = ENOENT, .exec = true, .not_found = true});
  const auto message = pair.caller.receive();
  REQUIRE(message);
  CHECK(message->kind == MessageKind::kError);
  CHECK(message->failure.message == "no such file");
  CHECK(message->failure.hint == "a cure");
  CHECK(message->failure.errno_value == ENOENT);
  CHECK(message->failure.exec);
  CHECK(message->failure.not_found);
  pair.child.send_failure({.message = std::string(100'000, 'm'), .hint = std::string(100'000, 'h')});
  const auto cut = pair.caller.receive();
  REQUIRE(cut);
  CHECK(cut->failure.message == std::string(4096, 'm'));
  CHECK(cut->failure.hint == std::string(4096, 'h'));
}

TEST_CASE("a failure that nobody listens to is no failure of its own") {
  ChannelPair pair = make_channel();
  pair.caller.close();
  pair.child.send_failure({.message = "lost", .hint = {}});
  CHECK_THROWS_AS(pair.child.send(MessageKind::kNetwork), base::Error);
}

TEST_CASE("a message that is too short, or whose lengths lie, is refused") {
  const ChannelPair pair = make_channel();
  for (const std::string& bytes :
       {std::string("x"), std::string(15, '\0'), std::string(16, '\xff'), std::string(8300, '\xff')}) {
    REQUIRE(::send(pair.child.fd(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    CHECK_THROWS_AS(pair.caller.receive(), base::Error);
  }
}

TEST_CASE("the last word of a peer that ended with messages unread is heard") {
  ChannelPair pair = make_channel();
  pair.caller.send(MessageKind::kRecorded);
  pair.child.send_failure({.message = "the last word"});
  pair.child.close();
  const auto message = pair.caller.receive();
  REQUIRE(message);
  CHECK(message->failure.message == "the last word");
  CHECK_FALSE(pair.caller.receive());
}
