#include "reference/registries.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "reference/toml.h"

using namespace trine;
using namespace trine::images;

namespace {
Registries registries(std::string_view text) {
  Registries result;
  result.add(text, "registries.conf");
  return result;
}
std::vector<std::string> candidates(const Registries& from, const char* name) {
  std::vector<std::string> names;
  for (const auto& reference : from.candidates(parse_reference(name)))
    names.push_back(reference.full());
  return names;
}
std::vector<std::string> sources(const Registries& from, const std::string& name) {
  std::vector<std::string> places;
  for (const auto& source : from.sources(parse_reference(name)))
    places.push_back(source.host + "/" + source.repository);
  return places;
}
using Names = std::vector<std::string>;
}  // namespace

TEST_CASE("without a configuration a short name is Docker's") {
  CHECK(candidates({}, "alpine:3") == Names{"docker.io/library/alpine:3"});
  CHECK(sources({}, "alpine") == Names{"docker.io/library/alpine"});
}

TEST_CASE("an alias stands for one name, and keeps the tag") {
  const auto conf = registries("[aliases]\n\"fedora\" = 'registry.fedoraproject.org/fedora'");
  CHECK(candidates(conf, "fedora:40") == Names{"registry.fedoraproject.org/fedora:40"});
  CHECK(candidates(conf, "docker.io/fedora") == Names{"docker.io/library/fedora:latest"});
}

TEST_CASE("a later file's alias and search list hold, and an empty alias takes one away") {
  auto conf = registries("unqualified-search-registries = ['a.example']\n[aliases]\nx = 'h.example/x'");
  conf.add(
      "unqualified-search-registries = ['b.example', # here first\n 'c.example:5000',]\n[aliases]\nx = ''",
      "d/1.conf");
  CHECK(candidates(conf, "x") == Names{"b.example/x:latest", "c.example:5000/x:latest"});
  CHECK(candidates(conf, "d.example/x") == Names{"d.example/x:latest"});
}

TEST_CASE("mirrors come first, each only for what it is for") {
  const auto conf = registries(R"(
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "m.example:5000/hub"
insecure = true
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
)");
  CHECK(sources(conf, "alpine") == Names{"m.example:5000/hub/library/alpine", "docker.io/library/alpine"});
  CHECK(sources(conf, "alpine@sha256:" + std::string(64, 'a')).size() == 3);
  const auto places = conf.sources(parse_reference("alpine"));
  CHECK((places[0].insecure && places[0].is_mirror));
  CHECK_FALSE((places[1].insecure || places[1].is_mirror));
}

TEST_CASE("the longest prefix of whole parts holds, a wildcard last") {
  const auto conf = registries(R"(
registry = [{prefix = "q.example/te", location = "wrong.example"}, {prefix = "*.example", location = ""},
  {prefix = "q.example/team", location = "right.example/x"}, {prefix = "q.example", location = "short.example"}]
)");
  CHECK(sources(conf, "q.example/team/web") == Names{"right.example/x/web"});
  CHECK(sources(conf, "q.example/tea") == Names{"short.example/tea"});
  CHECK(sources(conf, "other.example/a") == Names{"other.example/a"});
  CHECK(sources(conf, "example.org/a") == Names{"example.org/a"});
}

TEST_CASE("a blocked registry is an error, not another place") {
  const auto conf = registries("[[registry]]\nlocation = 'bad.example'\nblocked = true");
  CHECK_THROWS_AS(sources(conf, "bad.example/a"), base::Error);
}

TEST_CASE("a file that is not right is refused with its line") {
  for (const char* bad :
       {"a", "a =", "a = [", "[a", "a = 'x", "a = 1\na = 2", "a = \"\\q\"", "[[a]]\n[a.b.c]\n[[a.b]]",
        "a = 1 b", "[[registry]]\nblocked = true", "[[registry]]\nlocation = 1", "registry = 1",
        "[aliases]\na = 1", "unqualified-search-registries = [1]"}) {
    CHECK_THROWS_AS(registries(bad), base::Error);
  }
  CHECK_THROWS_WITH(registries("\n\nbad"), Catch::Contains("line 3"));
}

TEST_CASE("values nested too deep and keys of too many parts end the reading") {
  CHECK_THROWS_AS(parse_toml("a = " + std::string(100000, '['), "f"), base::Error);
  CHECK_THROWS_AS(parse_toml("a = " + std::string(100000, '{'), "f"), base::Error);
  std::string key = "a";
  for (int i = 0; i < 100; ++i)
    key += ".a";
  CHECK_THROWS_AS(parse_toml("[" + key + "]", "f"), base::Error);
}
