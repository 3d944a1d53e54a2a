#include "base/remove_tree.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "scratch.h"

using namespace trine::base;
using trine::test::open_descriptors;
using trine::test::Scratch;

namespace {

/// scratch/tree/d/d/d/… of `depth` levels with a file on the last: too deep for any path.
void make_deep_tree(const Scratch& scratch, int depth) {
  scratch.make_directory("tree");
  UniqueFd at = open_file(scratch.path("tree"), O_PATH | O_DIRECTORY);
  for (int i = 0; i < depth; ++i) {
    REQUIRE(::mkdirat(at.get(), "d", 0755) == 0);
    at = open_file_at(at.get(), "d", O_PATH | O_DIRECTORY);
  }
  open_file_at(at.get(), "file", O_WRONLY | O_CREAT, 0600);
}

}  // namespace

TEST_CASE("a tree is removed with all kinds of files in it") {
  const Scratch scratch;
  scratch.make_directory("tree/a/b");
  scratch.make_directory("tree/empty");
  scratch.make_file("tree/a/file", "x");
  scratch.make_file("tree/a/b/file", "x");
  scratch.make_symlink("tree/a/dangling", "nowhere");
  REQUIRE(::mkfifo(scratch.path("tree/a/b/fifo").c_str(), 0600) == 0);
  remove_tree(scratch.fd(), "tree");
  CHECK_FALSE(scratch.has("tree"));
}

TEST_CASE("what is not there is no error to remove") {
  const Scratch scratch;
  CHECK_NOTHROW(remove_tree(scratch.fd(), "missing"));
}

TEST_CASE("a single file, a symlink and an empty directory are removed") {
  const Scratch scratch;
  scratch.make_file("file");
  scratch.make_directory("kept");
  scratch.make_symlink("link", "kept");
  scratch.make_directory("empty");
  remove_tree(scratch.fd(), "file");
  remove_tree(scratch.fd(), "link");
  remove_tree(scratch.fd(), "empty");
  CHECK_FALSE(scratch.has("file"));
  CHECK_FALSE(scratch.has("link"));
  CHECK_FALSE(scratch.has("empty"));
  CHECK(scratch.has("kept"));
}

TEST_CASE("symlinks are removed, not followed") {
  const Scratch scratch;
  scratch.make_directory("outside");
  scratch.make_file("outside/file", "kept");
  scratch.make_directory("tree/sub");
  scratch.make_symlink("tree/up", "../outside");
  scratch.make_symlink("tree/sub/absolute", scratch.path("outside"));
  scratch.make_symlink("tree/sub/root", "/");
  remove_tree(scratch.fd(), "tree");
  CHECK_FALSE(scratch.has("tree"));
  CHECK(scratch.content("outside/file") == "kept");
}

TEST_CASE("a tree of 3,000 levels is removed with few descriptors") {
  const Scratch scratch;
  make_deep_tree(scratch, 3000);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{.rlim_cur = 100, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const int descriptors = open_descriptors();
  CHECK_NOTHROW(remove_tree(scratch.fd(), "tree"));
  CHECK(open_descriptors() == descriptors);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(scratch.has("tree"));
}

TEST_CASE("a directory of 20,000 files is removed whole") {
  const Scratch scratch;
  scratch.make_directory("tree/many");
  const auto many = open_file(scratch.path("tree/many"), O_PATH | O_DIRECTORY);
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE(::mknodat(many.get(), std::to_string(i).c_str(), S_IFREG | 0600, 0) == 0);
  }
  remove_tree(scratch.fd(), "tree");
  CHECK_FALSE(scratch.has("tree"));
}

TEST_CASE("names that look like options or dots are ordinary names") {
  const Scratch scratch;
  scratch.make_directory("tree/-rf");
  scratch.make_directory("tree/...");
  scratch.make_file("tree/-rf/..a");
  scratch.make_file("tree/new\nline");
  remove_tree(scratch.fd(), "tree");
  CHECK_FALSE(scratch.has("tree"));
}

TEST_CASE("a mount in the tree is not crossed") {
  if (::geteuid() != 0) {
    std::cout << "skipped: only root can mount\n";
    return;
  }
  const Scratch scratch;
  scratch.make_directory("tree/mounted");
  scratch.make_directory("outside");
  scratch.make_file("outside/file", "kept");
  // In a mount namespace of its own, so that a failing test leaves no mount.
  Process child = clone_process({.flags = CLONE_NEWNS});
  if (!child) {
    const bool mounted = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount(scratch.path("outside").c_str(), scratch.path("tree/mounted").c_str(),
                                 nullptr, MS_BIND, nullptr) == 0;
    if (!mounted)
      ::_exit(2);
    try {
      remove_tree(scratch.fd(), "tree");
    } catch (const Error&) {
      ::_exit(0);
    }
    ::_exit(1);
  }
  CHECK(child.wait().code == 0);
  CHECK(scratch.content("outside/file") == "kept");
}

TEST_CASE("what cannot be removed is named") {
  const auto proc = open_file("/proc", O_RDONLY | O_DIRECTORY);
  CHECK_THROWS_WITH(remove_tree(proc.get(), "self"), Catch::Contains("self"));
}
