#include "partial.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "file_lock.h"
#include "scratch.h"

using namespace trine;
using namespace trine::images;

namespace {
const std::string kDigest = "sha256:" + std::string(64, 'a');
constexpr std::uint64_t kSize = 2 * Partial::kChunk + 100;
}  // namespace

TEST_CASE("chunks come in any order, and the beginning counts without gaps") {
  const test::Scratch scratch;
  Partial partial(scratch.path(), kDigest, kSize);
  REQUIRE(partial.chunks() == 3);
  CHECK(partial.chunk_size(2) == 100);
  partial.append(2, std::string(100, 'c'));
  CHECK(partial.contiguous() == 0);
  partial.append(0, std::string(10, 'a'));
  CHECK(partial.contiguous() == 10);
  partial.append(0, std::string(Partial::kChunk - 10, 'a'));
  CHECK(partial.contiguous() == Partial::kChunk);
  partial.append(1, std::string(Partial::kChunk, 'b'));
  CHECK(partial.complete());
  char last = 0;
  CHECK(::pread(partial.fd(), &last, 1, kSize - 1) == 1);
  CHECK(last == 'c');
}

TEST_CASE("another process goes on where one has ended") {
  const test::Scratch scratch;
  {
    Partial partial(scratch.path(), kDigest, kSize);
    partial.append(1, std::string("bytes"));
  }
  Partial partial(scratch.path(), kDigest, kSize);
  CHECK(partial.done(1) == 5);
  CHECK(partial.done() == 5);
}

TEST_CASE("a partial file of another size, or with a map that cannot be, is begun anew") {
  const test::Scratch scratch;
  const std::string file = std::string(64, 'a');
  {
    Partial(scratch.path(), kDigest, kSize).append(0, std::string("bytes"));
  }
  CHECK(Partial(scratch.path(), kDigest, kSize + 1).done() == 0);
  {
    Partial(scratch.path(), kDigest, kSize).append(1, std::string("bytes"));
  }
  REQUIRE(::truncate(scratch.path(file).c_str(), 3) == 0);
  CHECK(Partial(scratch.path(), kDigest, kSize).done() == 0);
  scratch.make_file(file + ".map", std::string(sizeof(std::uint64_t) * 6, '\xff'));
  CHECK(Partial(scratch.path(), kDigest, kSize).done() == 0);
}

TEST_CASE("more bytes than a chunk takes are refused") {
  const test::Scratch scratch;
  Partial partial(scratch.path(), kDigest, 10);
  CHECK_THROWS_AS(partial.append(0, std::string(11, 'x')), base::Error);
  CHECK_THROWS_AS(Partial(scratch.path(), kDigest, Partial::kMaxSize + 1), base::Error);
}

TEST_CASE("an empty blob is complete, and removing leaves nothing") {
  const test::Scratch scratch;
  Partial partial(scratch.path(), kDigest, 0);
  CHECK(partial.complete());
  partial.remove();
  CHECK_FALSE(scratch.has(std::string(64, 'a')));
  CHECK_FALSE(scratch.has(std::string(64, 'a') + ".map"));
}

TEST_CASE("a lock is one holder's until it goes, and its file goes with it") {
  const test::Scratch scratch;
  {
    const auto lock = FileLock::try_take(scratch.path("lock"));
    REQUIRE(lock);
    CHECK_FALSE(FileLock::try_take(scratch.path("lock")));
  }
  CHECK_FALSE(scratch.has("lock"));
  CHECK(FileLock::try_take(scratch.path("lock")));
}
