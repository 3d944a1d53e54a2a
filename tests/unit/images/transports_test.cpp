#include <catch2/catch.hpp>

#include "base/error.h"
#include "export/file_output.h"
#include "export/overlay_form.h"
#include "hash.h"
#include "platform.h"
#include "scratch.h"
#include "source.h"

using namespace trine;
using namespace trine::images;
using Json = nlohmann::json;

namespace {

Json descriptor(const char* type, const std::string& text) {
  return {{"mediaType", type}, {"digest", sha256(text)}, {"size", text.size()}};
}

constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";

/// An image without layers, as files of skopeo's dir: transport; the manifest's text.
std::string make_image(const test::Scratch& scratch, const char* architecture) {
  const std::string config = Json{{"os", "linux"},
                                  {"architecture", architecture},
                                  {"rootfs", {{"type", "layers"}, {"diff_ids", Json::array()}}}}
                                 .dump();
  scratch.make_file(sha256(config).substr(7), config);
  return Json{{"schemaVersion", 2},
              {"mediaType", kManifest},
              {"config", descriptor("application/vnd.oci.image.config.v1+json", config)},
              {"layers", Json::array()}}
      .dump();
}

ImageSource read(const test::Scratch& scratch, const char* platform) {
  const auto files = open_directory(scratch.path());
  return read_dir(*files, parse_platform(platform), "x").front();
}

}  // namespace

TEST_CASE("a dir: image is called by the digest of its manifest") {
  const test::Scratch scratch;
  const std::string manifest = make_image(scratch, "arm64");
  scratch.make_file("manifest.json", manifest);
  const ImageSource image = read(scratch, "arm64");
  CHECK(image.manifest_digest == sha256(manifest));
  CHECK(image.config.architecture == "arm64");
  CHECK(image.names.empty());
  CHECK_THROWS_WITH(read(scratch, "amd64"), Catch::Contains("it is for linux/arm64, not for linux/amd64"));
}

TEST_CASE("of an index in a dir: the manifest for the platform is read, and held to its digest") {
  const test::Scratch scratch;
  Json index{{"schemaVersion", 2},
             {"mediaType", "application/vnd.oci.image.index.v1+json"},
             {"manifests", Json::array()}};
  for (const char* architecture : {"arm64", "amd64"}) {
    const std::string manifest = make_image(scratch, architecture);
    scratch.make_file(sha256(manifest).substr(7) + ".manifest.json", manifest);
    Json entry = descriptor(kManifest, manifest);
    entry["platform"] = {{"os", "linux"}, {"architecture", architecture}};
    index["manifests"].push_back(entry);
  }
  scratch.make_file("manifest.json", index.dump());
  CHECK(read(scratch, "arm64").config.architecture == "arm64");
  CHECK(read(scratch, "amd64").config.architecture == "amd64");
  CHECK_THROWS_WITH(read(scratch, "s390x"), Catch::Contains("no image for linux/s390x"));
  const std::string digest = index["manifests"][0]["digest"];
  std::string changed = make_image(scratch, "arm64");
  changed.back() = ' ';
  scratch.make_file(digest.substr(7) + ".manifest.json", changed);
  CHECK_THROWS_WITH(read(scratch, "arm64"), Catch::Contains("does not match its digest"));
}

TEST_CASE("an index that leads round in a circle ends") {
  const test::Scratch scratch;
  std::string text = make_image(scratch, "arm64");
  for (int level = 0; level < 7; ++level) {
    scratch.make_file(sha256(text).substr(7) + ".manifest.json", text);
    Json entry = descriptor("application/vnd.oci.image.index.v1+json", text);
    entry["platform"] = {{"os", "linux"}, {"architecture", "arm64"}};
    text = Json{{"schemaVersion", 2}, {"manifests", Json::array({entry})}}.dump();
  }
  scratch.make_file("manifest.json", text);
  CHECK_THROWS_WITH(read(scratch, "arm64"), Catch::Contains("nests indexes too deep"));
}

TEST_CASE("what an image does not say it is for is for any platform") {
  CHECK_NOTHROW(check_platform({}, parse_platform("arm64"), "x"));
  ImageConfig config;
  config.os = "linux";
  config.architecture = "amd64";
  config.variant = "v3";
  CHECK_NOTHROW(check_platform(config, parse_platform("linux/amd64"), "x"));
  CHECK_THROWS_AS(check_platform(config, parse_platform("linux/amd64/v2"), "x"), base::Error);
}

TEST_CASE("an output directory has its name when it is whole, and else leaves nothing") {
  const test::Scratch scratch;
  {
    OutputDirectory output(scratch.path("image/"));
    output.add_text("file", "text");
    CHECK_FALSE(scratch.has("image"));
  }
  CHECK(names_in(scratch.fd(), "scratch").empty());
  {
    OutputDirectory output(scratch.path("image"));
    output.add_directory("blobs");
    output.add_text("blobs/file", "text");
    output.keep();
  }
  CHECK(scratch.content("image/blobs/file") == "text");
  CHECK_THROWS_WITH(OutputDirectory(scratch.path("image")), Catch::Contains("File exists"));
  CHECK(scratch.content("image/blobs/file") == "text");
}
