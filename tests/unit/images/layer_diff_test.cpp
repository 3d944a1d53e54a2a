#include "export/layer_diff.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <iostream>

#include "base/error.h"
#include "export/layer_packer.h"
#include "scratch.h"

using namespace trine;
using namespace trine::images;

namespace {

std::string differences(const test::Scratch& upper, const test::Scratch& image) {
  std::string text;
  for (const auto& change : diff_layer(upper.fd(), image.fd()))
    text += to_line(change, true);
  return text;
}

/// A directory as overlayfs copies it up: with its time.
void copy_up(const test::Scratch& upper, const test::Scratch& image, const std::string& name) {
  struct stat status{};
  REQUIRE(::stat(image.path(name).c_str(), &status) == 0);
  if (!upper.has(name))
    upper.make_directory(name);
  const std::array<timespec, 2> times{status.st_mtim, status.st_mtim};
  REQUIRE(::utimensat(AT_FDCWD, upper.path(name).c_str(), times.data(), 0) == 0);
}

bool hide(const test::Scratch& upper, const std::string& name) {
  return ::mknod(upper.path(name).c_str(), S_IFCHR, makedev(0, 0)) == 0;
}

std::string packed(const test::Scratch& scratch, PackOptions options) {
  std::string archive;
  pack_tree(scratch.fd(), options,
            [&](std::span<const char> bytes) { archive.append(bytes.data(), bytes.size()); });
  return archive;
}

}  // namespace

TEST_CASE("new files are told apart from changed ones") {
  const test::Scratch image;
  const test::Scratch upper;
  image.make_file("changed", "old");
  image.make_file("same", "same");
  upper.make_file("changed", "new");
  upper.make_directory("new");
  upper.make_file("new/file");
  CHECK(differences(upper, image) == "C /changed\nA /new\nA /new/file\n");
}

TEST_CASE("a directory that was copied up has changed when something in it has") {
  const test::Scratch image;
  const test::Scratch upper;
  image.make_directory("idle");
  image.make_directory("busy");
  copy_up(upper, image, "idle");
  copy_up(upper, image, "busy");
  CHECK(differences(upper, image).empty());
  upper.make_file("busy/file");
  copy_up(upper, image, "busy");
  CHECK(differences(upper, image) == "C /busy\nA /busy/file\n");
  REQUIRE(::chmod(upper.path("idle").c_str(), 0700) == 0);
  CHECK(differences(upper, image) == "C /busy\nA /busy/file\nC /idle\n");
}

TEST_CASE("what becomes a directory, or was one, has changed, and what is in it is new") {
  const test::Scratch image;
  const test::Scratch upper;
  image.make_file("file");
  image.make_directory("directory");
  image.make_file("directory/gone");
  upper.make_directory("file");
  upper.make_file("file/in");
  upper.make_symlink("directory", "/etc");
  CHECK(differences(upper, image) == "C /directory\nC /file\nA /file/in\n");
}

TEST_CASE("a whiteout is a removal of what the image has, and else nothing") {
  const test::Scratch image;
  const test::Scratch upper;
  image.make_directory("gone");
  image.make_file("gone/file");
  if (!hide(upper, "gone") || !hide(upper, "never")) {
    std::cout << "skipped: needs to make devices\n";
    return;
  }
  CHECK(differences(upper, image) == "D /gone\n");
}

TEST_CASE("of an opaque directory what is not there again was removed") {
  const test::Scratch image;
  const test::Scratch upper;
  image.make_directory("dir");
  image.make_file("dir/again", "old");
  image.make_file("dir/gone");
  upper.make_directory("dir");
  upper.make_file("dir/again", "new");
  if (::setxattr(upper.path("dir").c_str(), "user.overlay.opaque", "y", 1, 0) != 0) {
    std::cout << "skipped: this file system has no user attributes\n";
    return;
  }
  CHECK(differences(upper, image) == "C /dir\nC /dir/again\nD /dir/gone\n");
}

TEST_CASE("a link out of the layer is not followed") {
  const test::Scratch image;
  const test::Scratch upper;
  image.make_symlink("out", "/etc");
  upper.make_directory("out");
  upper.make_file("out/passwd");
  CHECK(differences(upper, image) == "C /out\nA /out/passwd\n");
}

TEST_CASE("a name that would move a terminal's cursor is escaped there") {
  const Change change{'A', "/a\nb\x1b[31m\x7f"};
  CHECK(to_line(change, true) == "A /a\\012b\\033[31m\\177\n");
  CHECK(to_line(change, false) == "A /a\nb\x1b[31m\x7f\n");
}

TEST_CASE("a name that means a removal is packed with a file system, but not into a layer") {
  const test::Scratch scratch;
  scratch.make_file(".wh.etc");
  CHECK_THROWS_WITH(packed(scratch, {.tree = Tree::kLayer}), Catch::Contains("cannot pack .wh.etc"));
  CHECK_THAT(packed(scratch, {.tree = Tree::kRoot}), Catch::Contains(".wh.etc"));
}

TEST_CASE("a layer that has left contents below is not packed without them") {
  const test::Scratch scratch;
  scratch.make_directory("moved");
  if (::setxattr(scratch.path("moved").c_str(), "user.overlay.redirect", "old", 3, 0) != 0) {
    std::cout << "skipped: this file system has no user attributes\n";
    return;
  }
  CHECK_THROWS_WITH(packed(scratch, {.tree = Tree::kLayer}), Catch::Contains("cannot pack moved/"));
  CHECK_NOTHROW(packed(scratch, {.tree = Tree::kRoot}));
}
