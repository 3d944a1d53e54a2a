// What is written to which file, in a directory that plays a cgroup: so for both versions, and for a kernel
// without swap accounting, whatever this machine has.
#include <catch2/catch.hpp>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "controllers.h"
#include "scratch.h"

using namespace trine::cgroups;
using trine::base::Error;
using trine::test::Scratch;

namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr const char* kSum = "memory.memsw.limit_in_bytes";
constexpr const char* kSwap = "memory.swap.max";

/// A group's directory, with the files of a kernel that accounts for swap, or does not.
class FakeGroup {
 public:
  FakeGroup(bool v2, bool accounts_for_swap) : v2_(v2) {
    scratch_.make_file(v2 ? "memory.max" : "memory.limit_in_bytes");
    if (accounts_for_swap)
      scratch_.make_file(v2 ? kSwap : kSum);
  }
  void apply(const Limits& limits) const {
    (v2_ ? v2::apply_memory : v1::apply_memory)(open_directory(scratch_.path(), v2_), limits);
  }
  [[nodiscard]] std::string file(const char* name) const { return scratch_.content(name); }
  [[nodiscard]] bool has(const char* name) const { return scratch_.has(name); }

 private:
  bool v2_;
  Scratch scratch_;
};

Limits memory_and_swap(std::int64_t memory, std::int64_t sum) {
  Limits limits;
  limits.memory_bytes = memory;
  limits.memory_swap_bytes = sum;
  return limits;
}

}  // namespace

TEST_CASE("version 1 is told memory and swap together") {
  const FakeGroup group(false, true);
  group.apply(memory_and_swap(64 * kMiB, 128 * kMiB));
  CHECK(group.file("memory.limit_in_bytes") == "67108864");
  CHECK(group.file(kSum) == "134217728");
}

TEST_CASE("version 2 is told the swap alone: none of it when the sum is the memory") {
  const FakeGroup some(true, true);
  some.apply(memory_and_swap(64 * kMiB, 96 * kMiB));
  CHECK(some.file("memory.max") == "67108864");
  CHECK(some.file(kSwap) == "33554432");
  const FakeGroup none(true, true);
  none.apply(memory_and_swap(64 * kMiB, 64 * kMiB));
  CHECK(none.file(kSwap) == "0");
}

TEST_CASE("no limit on swap is -1 for version 1 and max for version 2") {
  const FakeGroup one(false, true);
  one.apply(memory_and_swap(64 * kMiB, -1));
  CHECK(one.file(kSum) == "-1");
  const FakeGroup two(true, true);
  two.apply(memory_and_swap(64 * kMiB, -1));
  CHECK(two.file(kSwap) == "max");
}

TEST_CASE("a swap limit that was asked for needs a kernel that accounts for swap") {
  for (const bool v2 : {false, true}) {
    const FakeGroup group(v2, false);
    try {
      group.apply(memory_and_swap(64 * kMiB, 96 * kMiB));
      FAIL("no error on version " << (v2 ? 2 : 1));
    } catch (const Error& error) {
      CHECK(error.errno_value() == ENOENT);
      CHECK_THAT(error.what(), Catch::Contains(v2 ? kSwap : kSum));
    }
  }
}

TEST_CASE("a swap limit that nobody asked for is left out on a kernel that does not account for swap") {
  auto limits = memory_and_swap(64 * kMiB, 128 * kMiB);
  limits.memory_swap_is_default = true;
  for (const bool v2 : {false, true}) {
    const FakeGroup without(v2, false);
    CHECK_NOTHROW(without.apply(limits));
    CHECK(without.file(v2 ? "memory.max" : "memory.limit_in_bytes") == "67108864");
    CHECK_FALSE(without.has(v2 ? kSwap : kSum));
    const FakeGroup with(v2, true);
    with.apply(limits);
    CHECK(with.file(v2 ? kSwap : kSum) == (v2 ? "67108864" : "134217728"));
  }
}
