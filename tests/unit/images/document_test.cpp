#include "document.h"

#include <catch2/catch.hpp>

#include "base/error.h"

using namespace trine;
using namespace trine::images;

namespace {
const std::string kDigest = "sha256:" + std::string(64, '0');
const std::string kDescriptor = R"({"digest": ")" + kDigest + R"(", "size": 3})";
Manifest manifest(const std::string& text) {
  return parse_manifest(parse_document(text, "m"), "m");
}
}  // namespace

TEST_CASE("a manifest has a configuration and layers") {
  const auto parsed =
      manifest(R"({"schemaVersion": 2, "config": )" + kDescriptor + R"(, "layers": [)" + kDescriptor + "]}");
  CHECK(parsed.config.digest == kDigest);
  REQUIRE(parsed.layers.size() == 1);
  CHECK(parsed.layers[0].size == 3);
}

TEST_CASE("a manifest that is an index as well is refused") {
  CHECK_THROWS_AS(manifest(R"({"config": )" + kDescriptor + R"(, "layers": [], "manifests": []})"),
                  base::Error);
  CHECK_THROWS_AS(parse_index(parse_document(R"({"manifests": [], "layers": []})", "i"), "i"), base::Error);
}

TEST_CASE("ill-typed and missing fields are refused") {
  for (const std::string text : {R"({})", R"([])", R"({"config": 1, "layers": []})",
                                 R"({"config": {"digest": 1, "size": 1}, "layers": []})"}) {
    CHECK_THROWS_AS(manifest(text), base::Error);
  }
  CHECK_THROWS_AS(manifest(R"({"config": )" + kDescriptor + R"(, "layers": {}})"), base::Error);
  CHECK_THROWS_AS(manifest(R"({"schemaVersion": 1, "config": )" + kDescriptor + R"(, "layers": []})"),
                  base::Error);
  CHECK_THROWS_AS(manifest(R"({"config": {"digest": ")" + kDigest + R"(", "size": -1}, "layers": []})"),
                  base::Error);
}

TEST_CASE("what is no JSON, too deep or too large is refused") {
  CHECK_THROWS_AS(parse_document("{", "m"), base::Error);
  CHECK_THROWS_AS(parse_document("7", "m"), base::Error);
  CHECK_THROWS_AS(parse_document(std::string(100000, '['), "m"), base::Error);
  CHECK_THROWS_AS(parse_document(std::string(kMaxDocument + 1, ' '), "m"), base::Error);
}

TEST_CASE("a configuration says how to run the image") {
  const auto parsed = parse_configuration(
      parse_document(
          R"({"os": "linux", "architecture": "amd64", "config": {"Env": ["A=1"], "Cmd": "echo hi", "Entrypoint": ["/init"], "Volumes": {"/data": {}}, "User": "web"}, "rootfs": {"diff_ids": [")" +
              kDigest + R"("]}})",
          "c"),
      "c");
  CHECK(parsed.config.env == std::vector<std::string>{"A=1"});
  CHECK(parsed.config.cmd == std::vector<std::string>{"/bin/sh", "-c", "echo hi"});
  CHECK(parsed.config.volumes == std::vector<std::string>{"/data"});
  CHECK(parsed.diff_ids == std::vector<std::string>{kDigest});
}
