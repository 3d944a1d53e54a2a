#include "base/file.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>

#include "base/error.h"
#include "scratch.h"

using namespace trine::base;
using trine::test::open_descriptors;
using trine::test::Scratch;

TEST_CASE("a file that cannot be opened is named") {
  const Scratch scratch;
  try {
    open_file(scratch.path("missing"), O_RDONLY);
    FAIL("opened");
  } catch (const Error& error) {
    CHECK(error.errno_value() == ENOENT);
    CHECK_THAT(error.what(), Catch::Contains("missing: No such file or directory"));
  }
}

TEST_CASE("a descriptor does not outlive an exec") {
  const Scratch scratch;
  const auto fd = open_file(scratch.path("file"), O_WRONLY | O_CREAT, 0600);
  CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a file is read whole") {
  const Scratch scratch;
  const std::string text = std::string(100'000, 'x') + std::string(1, '\0') + "end";
  scratch.make_file("file", text);
  CHECK(read_file(scratch.path("file")) == text);
  scratch.make_file("empty");
  CHECK(read_file(scratch.path("empty")).empty());
}

TEST_CASE("a file of exactly the limit is read, one byte more is an error") {
  const Scratch scratch;
  scratch.make_file("fits", std::string(1000, 'x'));
  scratch.make_file("long", std::string(1001, 'x'));
  CHECK(read_file(scratch.path("fits"), 1000).size() == 1000);
  CHECK_THROWS_WITH(read_file(scratch.path("long"), 1000), Catch::Contains("larger than 1000 bytes"));
}

TEST_CASE("a file without an end is given up at the limit") {
  CHECK_THROWS_WITH(read_file("/dev/zero", 1 << 20), Catch::Contains("larger than"));
}

TEST_CASE("a directory is no file to read") {
  const Scratch scratch;
  CHECK_THROWS_WITH(read_file(scratch.path()), Catch::Contains("Is a directory"));
}

TEST_CASE("everything is written to a pipe that is read slowly") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const std::string text(1 << 20, 'x');
  std::thread thread([&] {
    write_all(writer.get(), text, "the pipe");
    writer.reset();
  });
  CHECK(read_all(reader.get(), "the pipe", 2 << 20) == text);
  thread.join();
}

TEST_CASE("a full device is an error that names what was written") {
  const auto full = open_file("/dev/full", O_WRONLY);
  CHECK_THROWS_WITH(write_all(full.get(), "x", "the list"), "cannot write the list: No space left on device");
}

TEST_CASE("a value that the kernel refuses is an error with the value in it") {
  CHECK_THROWS_WITH(write_value("/proc/self/oom_score_adj", "not a number"),
                    Catch::Contains("'not a number'") && Catch::Contains("/proc/self/oom_score_adj"));
}

TEST_CASE("a replaced file has the new content and the mode asked for") {
  const Scratch scratch;
  scratch.make_file("state", "old");
  const mode_t before = ::umask(0);
  replace_file(scratch.fd(), "state", "new", Durability::kDisk, 0640);
  ::umask(before);
  struct stat status{};
  REQUIRE(::stat(scratch.path("state").c_str(), &status) == 0);
  CHECK(scratch.content("state") == "new");
  CHECK((status.st_mode & 07777) == 0640);
}

TEST_CASE("a replaced symlink is replaced, not followed") {
  const Scratch scratch;
  scratch.make_file("target", "untouched");
  scratch.make_symlink("link", "target");
  replace_file(scratch.fd(), "link", "new", Durability::kMemory);
  CHECK(scratch.content("target") == "untouched");
  CHECK(std::filesystem::is_regular_file(std::filesystem::symlink_status(scratch.path("link"))));
}

TEST_CASE("a file that cannot be replaced leaves no temporary file behind") {
  const Scratch scratch;
  scratch.make_directory("state/inside");
  CHECK_THROWS_AS(replace_file(scratch.fd(), "state", "new", Durability::kMemory), Error);
  const auto entries = std::filesystem::directory_iterator(scratch.path());
  CHECK(std::distance(begin(entries), end(entries)) == 1);
}

TEST_CASE("a reader of a file that is being replaced sees the old or the new, never a part") {
  const Scratch scratch;
  const std::string old_text(5000, 'o');
  const std::string new_text(9000, 'n');
  scratch.make_file("state", old_text);
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) {
      replace_file(scratch.fd(), "state", i % 2 == 0 ? new_text : old_text, Durability::kMemory);
    }
  });
  bool whole = true;
  for (int i = 0; i < 300; ++i) {
    const auto text = read_file(scratch.path("state"));
    whole = whole && (text == old_text || text == new_text);
  }
  writer.join();
  CHECK(whole);
}

TEST_CASE("directories are made to the last, and those there are left alone") {
  const Scratch scratch;
  scratch.make_directory("a");
  REQUIRE(::chmod(scratch.path("a").c_str(), 0700) == 0);
  make_directories(scratch.path("a/b/c"));
  make_directories(scratch.path("a/b/c"));
  struct stat status{};
  REQUIRE(::stat(scratch.path("a").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  CHECK(scratch.has("a/b/c"));
}

TEST_CASE("a directory below a file cannot be made, and the path is named") {
  const Scratch scratch;
  scratch.make_file("file");
  CHECK_THROWS_WITH(make_directories(scratch.path("file/below")),
                    Catch::Contains("file/below: Not a directory"));
}

TEST_CASE("a moved descriptor is closed once, by its last owner") {
  const int before = open_descriptors();
  {
    UniqueFd one = open_file("/dev/null", O_RDONLY);
    const int number = one.get();
    UniqueFd two = std::move(one);
    CHECK(two.get() == number);
    two = open_file("/dev/null", O_RDONLY);
    CHECK(::fcntl(number, F_GETFD) == -1);
    two.reset(two.get());
    CHECK(::fcntl(two.get(), F_GETFD) != -1);
  }
  CHECK(open_descriptors() == before);
}
