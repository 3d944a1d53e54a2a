#include "device_policy.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace trine::cgroups;

namespace {

DeviceRule allow(char type, std::optional<std::uint32_t> major, std::optional<std::uint32_t> minor,
                 std::string access = "rwm") {
  return {.allow = true, .type = type, .major = major, .minor = minor, .access = std::move(access)};
}

DeviceRule deny(char type, std::optional<std::uint32_t> major, std::optional<std::uint32_t> minor,
                std::string access = "rwm") {
  return {.allow = false, .type = type, .major = major, .minor = minor, .access = std::move(access)};
}

std::vector<std::string> texts(const std::optional<DevicePolicy>& policy) {
  REQUIRE(policy);
  std::vector<std::string> result = {policy->allow_by_default ? "allow" : "deny"};
  for (const auto& exception : policy->exceptions)
    result.push_back(text_of(exception));
  return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the usual list becomes one default and one line a device") {
  CHECK(texts(v1_policy({deny('a', {}, {}), allow('c', {}, {}, "m"), allow('c', 1, 3),
                         allow('c', 136, {})})) == Texts{"deny", "c *:* m", "c 1:3 rwm", "c 136:* rwm"});
}

TEST_CASE("two rules for one device are joined, so that reading and writing at once is allowed") {
  CHECK(texts(v1_policy({allow('c', 1, 3, "r"), allow('c', 1, 3, "w")})) == Texts{"deny", "c 1:3 rw"});
}

TEST_CASE("a denial takes back what was allowed before it") {
  CHECK(texts(v1_policy({allow('c', 1, 3), deny('c', 1, {}, "m")})) == Texts{"deny", "c 1:3 rw"});
  CHECK(texts(v1_policy({allow('c', 1, 3), deny('c', 1, 3)})) == Texts{"deny"});
  CHECK(texts(v1_policy({allow('c', 1, 3), deny('b', 1, 3)})) == Texts{"deny", "c 1:3 rwm"});
}

TEST_CASE("rules for all types are written for both") {
  CHECK(texts(v1_policy({allow('a', 7, {}, "r")})) == Texts{"deny", "c 7:* r", "b 7:* r"});
  CHECK(texts(v1_policy({allow('a', {}, {}, "m")})) == Texts{"deny", "c *:* m", "b *:* m"});
}

TEST_CASE("a rule for everything forgets the rules before it") {
  CHECK(texts(v1_policy({allow('c', 1, 3), allow('a', {}, {}), deny('b', 8, 0)})) ==
        Texts{"allow", "b 8:0 rwm"});
  CHECK(texts(v1_policy({allow('a', {}, {}), deny('a', {}, {}), allow('c', 1, 5)})) ==
        Texts{"deny", "c 1:5 rwm"});
}

TEST_CASE("an exception from an exception is not for version 1") {
  CHECK_FALSE(v1_policy({allow('c', 1, {}), deny('c', 1, 3)}));
  CHECK_FALSE(v1_policy({allow('a', {}, {}), deny('c', 1, {}), allow('c', 1, 3)}));
  CHECK(v1_policy({allow('c', 1, {}, "r"), deny('c', 1, 3, "w")}));
}

TEST_CASE("only rules that forbid nothing are no device control") {
  CHECK(allows_everything({allow('a', {}, {})}));
  CHECK(allows_everything({deny('a', {}, {}), allow('a', {}, {}), allow('c', 1, 3)}));
  CHECK_FALSE(allows_everything({allow('a', {}, {}), deny('c', 1, 3)}));
  CHECK_FALSE(allows_everything({allow('a', {}, {}, "rw")}));
  CHECK_FALSE(allows_everything({allow('c', {}, {})}));
  CHECK_FALSE(allows_everything({}));
}

TEST_CASE("a rule that makes no sense is an error") {
  CHECK_THROWS_AS(v1_policy({allow('c', 1, 3, "rx")}), trine::base::Error);
  CHECK_THROWS_AS(v1_policy({allow('d', 1, 3)}), trine::base::Error);
}
