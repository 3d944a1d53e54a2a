#include <catch2/catch.hpp>
#include <unistd.h>

#include "engine/namespace_stats.h"

using namespace trine::runtime::engine;

TEST_CASE("a process' line is read, whatever its name holds") {
  const std::string numbers =
      " S 1 1 1 0 -1 4194560 300 0 0 0 250 50 30 20 20 0 1 0 5000 9000000 123 1844674";
  for (const std::string name : {"sleep", "a b", ") R 9 9 (", ""}) {
    const auto stats = parse_process_stat("42 (" + name + ")" + numbers + " 1 1 0\n");
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    CHECK(stats.cpu_usage_us == (250 + 50 + 30 + 20) * 1'000'000ULL / ticks);
    CHECK(stats.memory_bytes == 123ULL * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    CHECK(stats.pids == 1U);
  }
}

TEST_CASE("what is no process' line has no figures") {
  for (const std::string line : {"", "42 (sleep", "42 (sleep) ", "42 (sleep) S 1 1 1"}) {
    const auto stats = parse_process_stat(line);
    CHECK((!stats.cpu_usage_us && !stats.memory_bytes && !stats.pids));
  }
}

TEST_CASE("the processes of our own pid namespace are no instance's") {
  const auto stats = namespace_stats(::getpid());
  CHECK((!stats.cpu_usage_us && !stats.memory_bytes && !stats.pids));
}
