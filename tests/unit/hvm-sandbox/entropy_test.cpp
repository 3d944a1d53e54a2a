#include "agent/entropy.h"

#include <catch2/catch.hpp>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "hvm-sandbox/protocol.h"

using namespace trine;

TEST_CASE("the kernel takes a seed, and is given none of another size") {
  CHECK_FALSE(hvm::reseed(""));
  CHECK_FALSE(hvm::reseed(std::string(hvm::kLeastSeed - 1, 'a')));
  CHECK_FALSE(hvm::reseed(std::string(hvm::kMostSeed + 1, 'a')));
  try {
    CHECK(hvm::reseed(base::random_hex(32)));
    CHECK(hvm::reseed(base::random_hex(hvm::kMostSeed / 2)));
  } catch (const base::Error& error) {
    CHECK(error.errno_value() == EPERM);  // it takes CAP_SYS_ADMIN, which an agent has
  }
}
