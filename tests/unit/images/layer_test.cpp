#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/text.h"
#include "layer_writer.h"
#include "tar_builder.h"

using namespace trine;
using namespace trine::images;
namespace fs = std::filesystem;

namespace {

struct Layer {
  fs::path path = fs::temp_directory_path() / ("trine-unit-" + base::random_hex(8));
  Layer() { fs::create_directories(path / "layer"); }
  ~Layer() { fs::remove_all(path); }
  [[nodiscard]] fs::path root() const { return path / "layer"; }
  void unpack(const std::string& archive, std::vector<std::string> lower = {}) const {
    TextSource source(archive);
    TarReader reader(source, "test.tar");
    LayerWriter writer(root(), std::move(lower));
    while (const auto entry = reader.next())
      writer.write(*entry, reader);
    writer.finish();
  }
};

bool needs_root() {
  if (::geteuid() == 0)
    return false;
  std::cout << "skipped: needs root\n";
  return true;
}

bool is_whiteout(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a whiteout hides what layers below have") {
  if (needs_root())
    return;
  const Layer layer;
  layer.unpack(TarBuilder().add('0', "dir/.wh.gone").finish());
  CHECK(is_whiteout(layer.root() / "dir/gone"));
}

TEST_CASE("a whiteout in the same layer does not hide its own files, whichever comes first") {
  if (needs_root())
    return;
  for (const bool first : {true, false}) {
    const Layer layer;
    TarBuilder tar;
    if (first)
      tar.add('0', ".wh.file");
    tar.add('0', "file", "mine");
    if (!first)
      tar.add('0', ".wh.file");
    layer.unpack(tar.finish());
    CHECK(content(layer.root() / "file") == "mine");
  }
}

TEST_CASE("an opaque directory carries the overlay's mark") {
  if (needs_root())
    return;
  const Layer layer;
  layer.unpack(TarBuilder().add('5', "dir/").add('0', "dir/.wh..wh..opq").finish());
  char value = 0;
  CHECK(::getxattr((layer.root() / "dir").c_str(), "trusted.overlay.opaque", &value, 1) == 1);
  CHECK(value == 'y');
}

TEST_CASE("the overlay's own marks in an archive are not taken") {
  if (needs_root())
    return;
  const Layer layer;
  layer.unpack(TarBuilder().pax("SCHILY.xattr.trusted.overlay.redirect", "/etc").add('5', "dir/").finish());
  char value[8];
  CHECK(::getxattr((layer.root() / "dir").c_str(), "trusted.overlay.redirect", value, sizeof value) < 0);
}

TEST_CASE("of two members with one path the last wins") {
  if (needs_root())
    return;
  const Layer layer;
  layer.unpack(TarBuilder()
                   .add('2', "a", "", "/etc/passwd")
                   .add('0', "a", "file")
                   .add('5', "b/")
                   .add('0', "b/x")
                   .add('0', "b", "file")
                   .finish());
  CHECK(content(layer.root() / "a") == "file");
  CHECK(content(layer.root() / "b") == "file");
}

TEST_CASE("a hardlink to a file of a layer below brings it up") {
  if (needs_root())
    return;
  const Layer below;
  below.unpack(TarBuilder().add('0', "file", "below").finish());
  const Layer layer;
  layer.unpack(TarBuilder().add('1', "link", "", "file").finish(), {below.root()});
  CHECK(content(layer.root() / "link") == "below");
  CHECK(fs::hard_link_count(layer.root() / "link") == 2);
}

TEST_CASE("nothing is written outside") {
  if (needs_root())
    return;
  const Layer layer;
  fs::create_directories(layer.path / "outside");
  std::ofstream(layer.path / "outside/file") << "host";
  const std::string outside = layer.path / "outside";
  layer.unpack(TarBuilder().add('2', "link", "", outside).add('0', "../outside/file", "evil").finish());
  CHECK_THROWS_AS(layer.unpack(TarBuilder().add('1', "hard", "", outside + "/file").finish()), base::Error);
  layer.unpack(TarBuilder()
                   .add('2', "l", "", "../../../../../.." + outside)
                   .add('0', "l/file", "evil")
                   .add('0', "l/.wh.file")
                   .finish());
  CHECK(content(layer.path / "outside/file") == "host");
  CHECK(std::distance(fs::directory_iterator(layer.path / "outside"), {}) == 1);
}

TEST_CASE("set-user-id bits and times survive the change of owner and of content") {
  if (needs_root())
    return;
  const Layer layer;
  layer.unpack(TarBuilder()
                   .pax("uid", "1234")
                   .add('0', "setuid", "", "", 04755)
                   .add('5', "dir/")
                   .add('0', "dir/file")
                   .finish());
  struct stat status{};
  REQUIRE(::stat((layer.root() / "setuid").c_str(), &status) == 0);
  CHECK(status.st_uid == 1234);
  CHECK((status.st_mode & 07777) == 04755);
  REQUIRE(::stat((layer.root() / "dir").c_str(), &status) == 0);
  CHECK(status.st_mtim.tv_sec == 1000000000);
}
