#include "base/remove_tree.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/text.h"

using namespace trine::base;
namespace fs = std::filesystem;

namespace {

struct Place {
  fs::path path = fs::temp_directory_path() / ("trine-unit-" + random_hex(8));
  UniqueFd fd;
  Place() {
    fs::create_directories(path);
    fd = open_file(path, O_PATH | O_DIRECTORY);
  }
  ~Place() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("a symlink is removed, not what it leads to") {
  const Place place;
  fs::create_directories(place.path / "kept");
  std::ofstream(place.path / "kept/file") << "x";
  fs::create_directories(place.path / "tree");
  fs::create_symlink("../kept", place.path / "tree/link");
  remove_tree(place.fd.get(), "tree");
  CHECK_FALSE(fs::exists(place.path / "tree"));
  CHECK(fs::exists(place.path / "kept/file"));
}

TEST_CASE("a tree deeper than a path can be is removed") {
  const Place place;
  UniqueFd directory(::fcntl(open_file(place.path, O_RDONLY | O_DIRECTORY).get(), F_DUPFD_CLOEXEC, 0));
  const std::string name(50, 'd');
  REQUIRE(::mkdirat(directory.get(), "tree", 0755) == 0);
  directory = open_file_at(directory.get(), "tree", O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 1500; ++depth) {
    REQUIRE(::mkdirat(directory.get(), name.c_str(), 0755) == 0);
    directory = open_file_at(directory.get(), name, O_RDONLY | O_DIRECTORY);
    (void)open_file_at(directory.get(), "file", O_WRONLY | O_CREAT, 0644);
  }
  remove_tree(place.fd.get(), "tree");
  CHECK_FALSE(fs::exists(place.path / "tree"));
}

TEST_CASE("a wide tree is removed") {
  const Place place;
  for (int i = 0; i < 2000; ++i) {
    const fs::path directory = place.path / "tree" / std::to_string(i);
    fs::create_directories(directory);
    std::ofstream(directory / "file") << i;
  }
  remove_tree(place.fd.get(), "tree");
  CHECK(fs::is_empty(place.path));
}

TEST_CASE("what is not there is no error") {
  const Place place;
  CHECK_NOTHROW(remove_tree(place.fd.get(), "missing"));
}
