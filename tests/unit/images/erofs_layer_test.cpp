#include "erofs_layer.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "erofs_image.h"
#include "tar_builder.h"

using namespace trine;
using namespace trine::images;

namespace {

/// A layer in the store's form: its name says what it is.
struct Layer {
  ErofsImage image{kErofsSuffix};

  void unpack(const std::string& archive, std::vector<std::string> lower = {}) const {
    TextSource source(archive);
    TarReader reader(source, "test.tar");
    ErofsLayer layer(image.fd(), "test", std::move(lower));
    while (const auto entry = reader.next())
      layer.write(*entry, reader);
    layer.finish();
    (void)image.reader().verify();
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    return content_of(image.reader(), path);
  }
  [[nodiscard]] bool is_whiteout(const std::string& path) const {
    const auto inode = image.reader().find(path);
    return inode && inode->type == erofs::FileType::kCharacter && inode->detail == 0;
  }
  [[nodiscard]] erofs::Reader::Xattrs xattrs(const std::string& path) const {
    const auto reader = image.reader();
    return reader.xattrs(*reader.find(path));
  }
};

const erofs::Reader::Xattrs kOpaque{{"trusted.overlay.opaque", "y"}};

}  // namespace

TEST_CASE("in an image too, a whiteout hides what layers below have and not the layer's own") {
  const Layer layer;
  layer.unpack(TarBuilder()
                   .add('0', "dir/.wh.gone")
                   .add('0', ".wh.own")
                   .add('0', "own", "mine")
                   .add('0', ".wh.tree")
                   .add('0', "tree/file", "mine")
                   .add('0', "file", "mine")
                   .add('0', "file/.wh.below")
                   .finish());
  CHECK(layer.is_whiteout("dir/gone"));
  CHECK(layer.content("own") == "mine");
  CHECK(layer.content("tree/file") == "mine");
  CHECK(layer.xattrs("tree") == kOpaque);
  CHECK(layer.content("file") == "mine");
}

TEST_CASE("in an image too, an opaque directory carries the overlay's mark and no other is taken") {
  const Layer layer;
  layer.unpack(TarBuilder()
                   .add('0', "dir/.wh..wh..opq")
                   .pax("SCHILY.xattr.trusted.overlay.redirect", "/etc")
                   .add('5', "dir/")
                   .add('0', "new/.wh..wh..opq")
                   .finish());
  CHECK(layer.xattrs("dir") == kOpaque);
  CHECK(layer.xattrs("new") == kOpaque);
}

TEST_CASE("in an image too, of two members with one path the last wins, and paths go through it") {
  const Layer layer;
  layer.unpack(TarBuilder()
                   .add('2', "a", "", "/etc/passwd")
                   .add('0', "a", "file")
                   .add('5', "b/")
                   .add('0', "b/x", "old")
                   .add('0', "b", "file")
                   .add('5', "c/")
                   .add('0', "c/x", "old")
                   .add('2', "c", "", "d")
                   .add('0', "c/y", "through the link")
                   .finish());
  CHECK(layer.content("a") == "file");
  CHECK(layer.content("b") == "file");
  CHECK(layer.content("d/y") == "through the link");
  CHECK(layer.content("c/y") == "through the link");
}

TEST_CASE("a symlink in an image leads nowhere but into the image") {
  const Layer layer;
  layer.unpack(TarBuilder()
                   .add('2', "out", "", "../../../../tmp")
                   .add('0', "out/file", "inside")
                   .add('0', "../../above", "inside")
                   .add('2', "absolute", "", "/usr")
                   .add('0', "absolute/bin/tool", "inside")
                   .finish());
  CHECK(layer.content("tmp/file") == "inside");
  CHECK(layer.content("above") == "inside");
  CHECK(layer.content("usr/bin/tool") == "inside");
  CHECK_THROWS_AS(
      Layer().unpack(TarBuilder().add('2', "a", "", "b").add('2', "b", "", "a").add('0', "a/x").finish()),
      base::Error);
  CHECK_THROWS_AS(Layer().unpack(TarBuilder().add('0', "file").add('0', "file/x").finish()), base::Error);
}

TEST_CASE("a hardlink leads to the file itself, or brings one up from an image below") {
  const Layer below;
  below.unpack(TarBuilder()
                   .pax("SCHILY.xattr.user.note", "kept")
                   .add('0', "dir/file", "below", "", 04750)
                   .add('2', "link", "", "dir")
                   .finish());
  const Layer layer;
  layer.unpack(TarBuilder()
                   .add('0', "one", "x")
                   .add('1', "two", "", "one")
                   .add('1', "up", "", "dir/file")
                   .add('1', "by link", "", "link/file")
                   .finish(),
               {below.image.path()});
  CHECK(layer.content("two") == "x");
  CHECK(layer.image.reader().find("one")->links == 2);
  CHECK(layer.content("up") == "below");
  CHECK(layer.content("dir/file") == "below");
  CHECK(layer.content("by link") == "below");
  const auto up = layer.image.reader().find("up");
  CHECK(up->mode == 0104750);
  CHECK(layer.xattrs("up") == erofs::Reader::Xattrs{{"user.note", "kept"}});
  CHECK_THROWS_AS(Layer().unpack(TarBuilder().add('1', "up", "", "nowhere").finish(), {below.image.path()}),
                  base::Error);
}

TEST_CASE("a layer gives the same image whoever unpacks it") {
  const std::string tar =
      TarBuilder().add('5', "dir/").add('0', "dir/a", "x").add('2', "l", "", "dir").finish();
  const Layer first, second;
  first.unpack(tar);
  second.unpack(tar);
  CHECK(first.image.bytes() == second.image.bytes());
}
