#include "base/in_root.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

using namespace trine::base;
using trine::test::Scratch;

namespace {

/// A root with a host beside it: scratch/root is what the stranger wrote, scratch/secret is ours.
struct World {
  World() {
    scratch.make_directory("root/etc");
    scratch.make_file("root/etc/file", "inside");
    scratch.make_file("secret", "host");
    root = open_file(scratch.path("root"), O_PATH | O_DIRECTORY);
  }
  std::string read(const std::string& path) const {
    return read_all(open_in_root(root.get(), path, O_RDONLY).get(), path, 100);
  }

  Scratch scratch;
  UniqueFd root;
};

}  // namespace

TEST_CASE("the root's own files are found, with and without a leading slash") {
  const World world;
  CHECK(world.read("etc/file") == "inside");
  CHECK(world.read("/etc/file") == "inside");
  CHECK(world.read("//etc/./file") == "inside");
}

TEST_CASE("dots do not lead out of the root") {
  const World world;
  CHECK_THROWS_AS(world.read("../secret"), Error);
  CHECK(world.read("../../../../etc/file") == "inside");
  CHECK(world.read("/etc/../../etc/file") == "inside");
}

TEST_CASE("an absolute symlink is resolved inside the root") {
  const World world;
  world.scratch.make_symlink("root/link", "/etc/file");
  world.scratch.make_symlink("root/host", world.scratch.path("secret"));
  CHECK(world.read("link") == "inside");
  CHECK_THROWS_WITH(world.read("host"), Catch::Contains("No such file"));
}

TEST_CASE("a relative symlink stops at the root") {
  const World world;
  world.scratch.make_symlink("root/etc/up", "../../../../etc/file");
  world.scratch.make_symlink("root/etc/out", "../../secret");
  CHECK(world.read("etc/up") == "inside");
  CHECK_THROWS_AS(world.read("etc/out"), Error);
}

TEST_CASE("a symlink is refused when symlinks are") {
  const World world;
  world.scratch.make_symlink("root/link", "etc");
  CHECK(try_open_in_root(world.root.get(), "link/file", O_RDONLY));
  CHECK_FALSE(try_open_in_root(world.root.get(), "link/file", O_RDONLY, 0, Symlinks::kRefuse));
  CHECK(errno == ELOOP);
}

TEST_CASE("a loop of symlinks is an error") {
  const World world;
  world.scratch.make_symlink("root/a", "b");
  world.scratch.make_symlink("root/b", "a");
  CHECK_THROWS_WITH(world.read("a"), Catch::Contains("Too many levels of symbolic links"));
}

TEST_CASE("a magic link of procfs is not followed") {
  const auto proc = open_file("/proc", O_PATH | O_DIRECTORY);
  CHECK_FALSE(try_open_in_root(proc.get(), "self/exe", O_RDONLY));
  CHECK(errno == ELOOP);
}

TEST_CASE("directories are made inside the root, through its symlinks") {
  const World world;
  world.scratch.make_symlink("root/out", "/");
  world.scratch.make_symlink("root/up", "../../..");
  REQUIRE(make_directories_in_root(world.root.get(), "/out/up/a/b/c", 0755));
  CHECK(world.scratch.has("root/a/b/c"));
  CHECK_FALSE(world.scratch.has("a"));
  const auto again = make_directories_in_root(world.root.get(), "a/b/c");
  struct stat one{}, two{};
  REQUIRE(::fstat(again.get(), &one) == 0);
  REQUIRE(::stat(world.scratch.path("root/a/b/c").c_str(), &two) == 0);
  CHECK(one.st_ino == two.st_ino);
}

TEST_CASE("a dangling symlink stands for its target, which is made inside the root") {
  const World world;
  world.scratch.make_symlink("root/dangling", "../outside");
  world.scratch.make_symlink("root/absolute", world.scratch.path("host"));
  REQUIRE(make_directories_in_root(world.root.get(), "dangling/below"));
  REQUIRE(make_directories_in_root(world.root.get(), "absolute/below"));
  CHECK(world.scratch.has("root/outside/below"));
  CHECK(world.scratch.has("root/" + world.scratch.path("host/below")));
  CHECK_FALSE(world.scratch.has("outside"));
  CHECK_FALSE(world.scratch.has("host"));
}

TEST_CASE("a file is made where a dangling symlink leads, inside the root") {
  const World world;
  world.scratch.make_symlink("root/dangling", "../../new/place/file");
  world.scratch.make_symlink("root/first", "/dangling");
  REQUIRE(make_file_in_root(world.root.get(), "first", 0600));
  CHECK(world.scratch.has("root/new/place/file"));
  CHECK_FALSE(world.scratch.has("new"));
}

TEST_CASE("a dangling symlink to itself ends with an error") {
  const World world;
  world.scratch.make_symlink("root/loop", "loop/deeper");
  CHECK_THROWS_AS(make_directories_in_root(world.root.get(), "loop/below"), Error);
  CHECK_THROWS_AS(make_file_in_root(world.root.get(), "loop", 0600), Error);
}

TEST_CASE("a directory below a file cannot be made") {
  const World world;
  CHECK_THROWS_WITH(make_directories_in_root(world.root.get(), "etc/file/below"),
                    Catch::Contains("etc/file/below") && Catch::Contains("Not a directory"));
}

TEST_CASE("a file is made with its directories, and one that is there is left as it is") {
  const World world;
  REQUIRE(make_file_in_root(world.root.get(), "new/place/file", 0600));
  CHECK(world.scratch.has("root/new/place/file"));
  REQUIRE(make_file_in_root(world.root.get(), "etc/file"));
  CHECK(world.scratch.content("root/etc/file") == "inside");
}

TEST_CASE("a file is made where a dangling symlink leads, and inside the root when that leads out") {
  const World world;
  world.scratch.make_symlink("root/link", "../made");
  world.scratch.make_symlink("root/etc/far", "../run/new/file");
  REQUIRE(make_file_in_root(world.root.get(), "link"));
  REQUIRE(make_file_in_root(world.root.get(), "/etc/far"));
  CHECK_FALSE(world.scratch.has("made"));
  CHECK(world.scratch.has("root/made"));
  CHECK(world.scratch.has("root/run/new/file"));
}

TEST_CASE("a file is not made through symlinks that lead in a circle") {
  const World world;
  world.scratch.make_symlink("root/one", "two");
  world.scratch.make_symlink("root/two", "one");
  CHECK_THROWS_AS(make_file_in_root(world.root.get(), "one"), Error);
}

TEST_CASE("a race of renames never leads out of the root") {
  const World world;
  world.scratch.make_directory("root/dir");
  world.scratch.make_file("root/dir/secret", "inside");
  world.scratch.make_symlink("root/link", "..");
  const std::string dir = world.scratch.path("root/dir");
  const std::string link = world.scratch.path("root/link");
  std::atomic<bool> done = false;
  std::thread racer([&] {
    while (!done)
      ::renameat2(AT_FDCWD, dir.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  });
  int leaks = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto fd = try_open_in_root(world.root.get(), "dir/secret", O_RDONLY);
    if (fd && read_all(fd.get(), "secret", 100) != "inside")
      ++leaks;
    try {
      make_directories_in_root(world.root.get(), "dir/made");
    } catch (const Error&) {  // the race may be lost; it may not lead out
    }
  }
  done = true;
  racer.join();
  CHECK(leaks == 0);
  CHECK_FALSE(world.scratch.has("made"));
}
