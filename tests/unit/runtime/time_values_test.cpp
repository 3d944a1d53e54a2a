#include "time_values.h"

#include <catch2/catch.hpp>

#include "base/time.h"

using trine::runtime::cli::parse_time;

namespace {
constexpr timespec kNow{.tv_sec = 1'763'805'600, .tv_nsec = 250'000'000};  // 2025-11-22T10:00:00.25Z

std::string read(std::string_view text) {
  const auto time = parse_time(text, kNow);
  return time ? trine::base::rfc3339(*time) : "none";
}
}  // namespace

TEST_CASE("a time is a date") {
  CHECK(read("2026-11-22T10:00:00Z") == "2026-11-22T10:00:00.000000000Z");
  CHECK(read("2026-11-22T10:00:00.5Z") == "2026-11-22T10:00:00.500000000Z");
  CHECK(read("2026-11-22T10:00:00.123456789+02:30") == "2026-11-22T07:30:00.123456789Z");
  CHECK(read("2026-11-22T23:59:59-01:00") == "2026-11-23T00:59:59.000000000Z");
  CHECK(read("2026-11-22T10:00") == "2026-11-22T10:00:00.000000000Z");
  CHECK(read("2026-11-22") == "2026-11-22T00:00:00.000000000Z");
}

TEST_CASE("a time is a number of seconds") {
  CHECK(read("0") == "1970-01-01T00:00:00.000000000Z");
  CHECK(read("1763805600.25") == "2025-11-22T10:00:00.250000000Z");
}

TEST_CASE("a time is how long ago") {
  CHECK(read("10m") == "2025-11-22T09:50:00.250000000Z");
  CHECK(read("1h30m") == "2025-11-22T08:30:00.250000000Z");
  CHECK(read("0.5s") == "2025-11-22T09:59:59.750000000Z");
  CHECK(read("1.5h") == "2025-11-22T08:30:00.250000000Z");
}

TEST_CASE("what is no time is refused") {
  for (const char* text : {"", "soon", "-1", "1.", "m", "10x", "1h30", "2026-13-01", "2026-11-22T10:00:00+2",
                           "2026-11-22T10:00:00Zx", "99999999999999", "9999999999h", "2026-11-22T10:00:00."})
    CHECK(read(text) == "none");
}
