#include "hvm-sandbox/wire.h"

#include <catch2/catch.hpp>

#include "hvm-sandbox/protocol.h"

using namespace trine::hvm;

namespace {

StartRequest sample() {
  return {.layers = 3, .files = {{"hosts", "127.0.0.1"}, {"empty", ""}}, .terminal = true, .plan = "plan"};
}

}  // namespace

TEST_CASE("a message comes back as it was sent") {
  const auto request = wire::decode<StartRequest>(wire::encode(sample()));
  REQUIRE(request);
  CHECK(request->layers == 3);
  CHECK(request->files == sample().files);
  CHECK(request->terminal);
  CHECK(!request->input);
  CHECK(request->plan == "plan");
}

TEST_CASE("a message that is cut, or longer than it says, is none") {
  const std::string bytes = wire::encode(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(!wire::decode<StartRequest>(bytes.substr(0, size)));
  CHECK(!wire::decode<StartRequest>(bytes + '\0'));
}

TEST_CASE("a count larger than the message takes no memory") {
  CHECK(!wire::decode<std::vector<std::string>>(std::string("\xff\xff\xff\xff", 4)));
  CHECK(
      !wire::decode<std::string>(std::string("\xff\xff\xff\x7f"
                                             "abc",
                                             7)));
}

TEST_CASE("a flag is 0 or 1, and a variant one of its kinds") {
  CHECK(wire::decode<bool>("\1") == true);
  CHECK(!wire::decode<bool>("\2"));
  using Either = std::variant<std::uint8_t, std::string>;
  CHECK(wire::decode<Either>(wire::encode(Either("text"))) == Either("text"));
  CHECK(!wire::decode<Either>(std::string("\2\0", 2)));
}

TEST_CASE("frames are cut out of a stream however it arrives") {
  const std::string bytes = encode_frame({.type = FrameType::kSignal, .request = 7, .payload = "abcd"}) +
                            encode_frame({.type = FrameType::kShutdown});
  FrameReader reader;
  std::vector<Frame> frames;
  for (const char byte : bytes) {
    reader.append({&byte, 1});
    while (auto frame = reader.next())
      frames.push_back(std::move(*frame));
  }
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].type == FrameType::kSignal);
  CHECK(frames[0].request == 7);
  CHECK(frames[0].payload == "abcd");
  CHECK(frames[1].payload.empty());
  CHECK(!reader.broken());
}

TEST_CASE("a frame longer than any breaks the conversation") {
  FrameReader reader;
  reader.append(std::string("\x01\x00\x10\x00", 4) + std::string(12, '\0'));
  CHECK(!reader.next());
  CHECK(reader.broken());
}
