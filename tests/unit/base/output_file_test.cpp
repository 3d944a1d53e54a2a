#include "base/output_file.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

using namespace trine::base;
using trine::test::open_descriptors;
using trine::test::Scratch;

namespace {

std::size_t entries(const Scratch& scratch) {
  const std::filesystem::directory_iterator directory(scratch.path("."));
  return static_cast<std::size_t>(std::distance(begin(directory), end(directory)));
}

}  // namespace

TEST_CASE("an output file has its name once it is kept, and none before") {
  const Scratch scratch;
  const auto descriptors = open_descriptors();
  {
    OutputFile file(scratch.path("out"), 0640);
    write_all(file.fd(), "whole", "out");
    CHECK(entries(scratch) == 0);
    file.keep();
  }
  CHECK(read_file(scratch.path("out")) == "whole");
  CHECK(std::filesystem::status(scratch.path("out")).permissions() == std::filesystem::perms{0640});
  CHECK(entries(scratch) == 1);
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("an output file that is not kept leaves the one there was") {
  const Scratch scratch;
  {
    OutputFile old(scratch.path("out"));
    write_all(old.fd(), "old", "out");
    old.keep();
  }
  {
    const OutputFile file(scratch.path("out"));
    write_all(file.fd(), "new", "out");
  }
  CHECK(read_file(scratch.path("out")) == "old");
  OutputFile file(scratch.path("out"));
  write_all(file.fd(), "new", "out");
  file.keep();
  CHECK(read_file(scratch.path("out")) == "new");
  CHECK(entries(scratch) == 1);
}

TEST_CASE("an output file cannot be a directory, or in one that is not there") {
  const Scratch scratch;
  CHECK_THROWS_AS(OutputFile(scratch.path(".") + "/"), Error);
  CHECK_THROWS_AS(OutputFile(scratch.path("nosuch/out")), Error);
  std::filesystem::create_directory(scratch.path("directory"));
  {
    OutputFile file(scratch.path("directory"));
    CHECK_THROWS_AS(file.keep(), Error);
  }
  CHECK(entries(scratch) == 1);
}
