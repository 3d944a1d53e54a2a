#include "devices/console/console.h"

#include <catch2/catch.hpp>

#include "driver.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {
constexpr std::uint16_t kEntries = 16;
}  // namespace

TEST_CASE("a console has short queues, which a driver fills quickly, and takes no longer ones") {
  ConsoleLog log;
  Driver driver(std::make_unique<Console>(log));
  for (const std::uint32_t queue : {0, 1}) {
    driver.write(0x30, queue);
    CHECK(driver.read(0x34) == kEntries);
  }
  driver.start(kEntries * 2);
  driver.request(1, "too many\n", 0);
  CHECK(log.tail(1).empty());
}

TEST_CASE("what a guest writes to its console is kept") {
  ConsoleLog log;
  Driver driver(std::make_unique<Console>(log));
  driver.start(kEntries);
  driver.request(1, "one\ntwo\r\nthree\n", 0);
  CHECK(log.tail(2) == "two\nthree");
  CHECK(log.tail(100) == "one\ntwo\nthree");
  CHECK(log.contains("two"));
  CHECK(!log.contains("four"));
}

TEST_CASE("a flood of console output takes no more memory, and its end is kept") {
  ConsoleLog log;
  Driver driver(std::make_unique<Console>(log));
  driver.start(kEntries);
  const std::string line = std::string(999, 'x') + "\n";
  for (int i = 0; i < 1000; ++i)
    driver.request(1, line, 0);
  driver.request(1, "the end\n", 0);
  CHECK(log.tail(1) == "the end");
  CHECK(log.tail(1'000'000).size() <= ConsoleLog::kKept);
}

TEST_CASE("a console's control characters do not reach the user's terminal") {
  ConsoleLog log;
  log.append("a\033[2Jb\x07\x7f\xff");
  CHECK(log.tail(1) == "a?[2Jb???");
}

TEST_CASE("the tail of a console that said nothing is empty") {
  CHECK(ConsoleLog().tail(5).empty());
}
