#include "base/in_root.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

using namespace trine::base;
namespace fs = std::filesystem;

namespace {

/// A root with a file beside it that must not be reached.
struct Sandbox {
  fs::path path = fs::temp_directory_path() / ("trine-unit-" + random_hex(8));
  UniqueFd root;
  Sandbox() {
    fs::create_directories(path / "root/inside");
    fs::create_directories(path / "outside");
    root = open_file(path / "root", O_PATH | O_DIRECTORY);
  }
  ~Sandbox() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("dots and absolute symlinks stay inside the root") {
  const Sandbox box;
  fs::create_symlink(box.path / "outside", box.path / "root/absolute");
  fs::create_symlink("../../../../../outside", box.path / "root/relative");
  CHECK_FALSE(try_open_in_root(box.root.get(), "/absolute", O_PATH));
  CHECK_FALSE(try_open_in_root(box.root.get(), "relative", O_PATH));
  CHECK_FALSE(try_open_in_root(box.root.get(), "../outside", O_PATH));
  CHECK(try_open_in_root(box.root.get(), "../../inside", O_PATH));
}

TEST_CASE("a symlink can be refused outright") {
  const Sandbox box;
  fs::create_symlink("inside", box.path / "root/link");
  CHECK(try_open_in_root(box.root.get(), "link", O_PATH));
  CHECK_FALSE(try_open_in_root(box.root.get(), "link", O_PATH, 0, Symlinks::kRefuse));
  CHECK(errno == ELOOP);
}

TEST_CASE("missing directories are made inside, through symlinks too") {
  const Sandbox box;
  fs::create_symlink("/new/place", box.path / "root/dangling");
  fs::create_symlink(box.path / "outside/made", box.path / "root/out");
  (void)make_directories_in_root(box.root.get(), "/a/b/c");
  (void)make_directories_in_root(box.root.get(), "/dangling/x");
  (void)make_directories_in_root(box.root.get(), "/out/x");
  CHECK(fs::is_directory(box.path / "root/a/b/c"));
  CHECK(fs::is_directory(box.path / "root/new/place/x"));
  CHECK(fs::is_empty(box.path / "outside"));
}

TEST_CASE("symlinks that lead round in a circle are an error") {
  const Sandbox box;
  fs::create_symlink("b", box.path / "root/a");
  fs::create_symlink("a", box.path / "root/b");
  CHECK_THROWS_AS(make_directories_in_root(box.root.get(), "/a/x"), Error);
}

TEST_CASE("a file is made with its directories, and an existing one is left as it is") {
  const Sandbox box;
  (void)make_file_in_root(box.root.get(), "/x/y/file");
  CHECK(fs::is_regular_file(box.path / "root/x/y/file"));
  (void)make_file_in_root(box.root.get(), "/inside");
  CHECK(fs::is_directory(box.path / "root/inside"));
}
