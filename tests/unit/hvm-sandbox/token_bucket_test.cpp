#include "devices/rate/token_bucket.h"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using trine::hvm::TokenBucket;

namespace {
constexpr TokenBucket::Time kBegin{std::chrono::hours(1)};
}

TEST_CASE("a bucket without a rate limits nothing") {
  TokenBucket bucket;
  CHECK_FALSE(bucket.is_limited());
  bucket.owe(UINT64_MAX);
  CHECK(bucket.time_until(UINT64_MAX, kBegin) == 0ns);
}

TEST_CASE("a bucket gives its burst at once, then its rate") {
  TokenBucket bucket(1000, 100);
  CHECK(bucket.time_until(100, kBegin) == 0ns);
  bucket.owe(100);
  CHECK(bucket.time_until(1, kBegin) > 0ns);
  const auto wait = bucket.time_until(50, kBegin);
  CHECK(wait >= 50ms);
  CHECK(wait < 51ms);
  CHECK(bucket.time_until(50, kBegin + 49ms) > 0ns);
  CHECK(bucket.time_until(50, kBegin + wait) == 0ns);
}

TEST_CASE("a bucket saves up no more than its burst") {
  TokenBucket bucket(1000, 100);
  bucket.owe(100);
  CHECK(bucket.time_until(100, kBegin + 10s) == 0ns);
  bucket.owe(100);
  CHECK(bucket.time_until(1, kBegin + 10s) > 0ns);
}

TEST_CASE("what is larger than a bucket passes when it is full, and is owed") {
  TokenBucket bucket(1000, 100);
  CHECK(bucket.time_until(1100, kBegin) == 0ns);
  bucket.owe(1100);
  const auto wait = bucket.time_until(1, kBegin);
  CHECK(wait > 1s);
  CHECK(wait < 1100ms);
  CHECK(bucket.time_until(1100, kBegin) < 1200ms);
}

TEST_CASE("a clock that stands or goes back adds nothing to a bucket") {
  TokenBucket bucket(1000, 100);
  CHECK(bucket.time_until(100, kBegin) == 0ns);
  bucket.owe(100);
  const auto wait = bucket.time_until(1, kBegin);
  CHECK(wait > 0ns);
  CHECK(bucket.time_until(1, kBegin - 1s) == wait);
  CHECK(bucket.time_until(1, kBegin) == wait);
}
