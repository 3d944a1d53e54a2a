#include "isolation/resctrl.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

using namespace trine;
using namespace trine::isolation;
using trine::test::Scratch;
namespace fs = std::filesystem;

namespace {

/// A directory with what the kernel puts into a class; a plain file system keeps what is written there.
void make_class(const std::string& directory, const std::string& schemata) {
  fs::create_directories(directory + "/mon_groups");
  std::ofstream(directory + "/schemata") << schemata;
  std::ofstream(directory + "/tasks").close();
}

}  // namespace

TEST_CASE("a class that is there must have the schemata that are asked for") {
  const Scratch scratch;
  const std::string root = scratch.path();
  make_class(root + "/gold", "    MB:0=100;1= 20\n    L3:0=7ff;1=01f\n");
  const auto error_of = [&](const std::vector<std::string>& schemata) -> std::string {
    try {
      make_resctrl_group(root, {.clos_id = "gold", .container_id = "c", .schemata = schemata});
    } catch (const base::Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(error_of({"L3:0=7ff;1=1f"}).empty());
  CHECK(error_of({"L3:1=1f", "MB:1=20"}).empty());
  CHECK(error_of({}).empty());
  CHECK(error_of({"L3:0=7f0"}).find("it has not the schema 'L3:0=7f0'") != std::string::npos);
  CHECK_FALSE(error_of({"L2:0=f"}).empty());
  CHECK_FALSE(error_of({"L3:7=1"}).empty());
  CHECK(base::read_file(root + "/gold/schemata").starts_with("    MB:0=100"));
}

TEST_CASE("a closID without schemata names a class that is there") {
  const Scratch scratch;
  CHECK_THROWS_AS(make_resctrl_group(scratch.path(), {.clos_id = "absent", .container_id = "c"}),
                  base::Error);
  CHECK_FALSE(fs::exists(scratch.path() + "/absent"));
}

TEST_CASE("the container's own class comes and goes with it, a named one stays") {
  const Scratch scratch;
  const std::string root = scratch.path();
  const Resctrl own{.clos_id = {}, .container_id = "c"};
  make_resctrl_group(root, own);
  CHECK(fs::is_directory(root + "/c"));
  CHECK_THROWS_AS(make_resctrl_group(root, own), base::Error);
  remove_resctrl_group(root, own);
  CHECK_FALSE(fs::exists(root + "/c"));
  remove_resctrl_group(root, own);

  make_class(root + "/gold", "");
  const Resctrl named{.clos_id = "gold", .container_id = "c", .schemata = {}, .monitoring = true};
  make_resctrl_group(root, named);
  CHECK(fs::is_directory(root + "/gold/mon_groups/c"));
  remove_resctrl_group(root, named);
  CHECK_FALSE(fs::exists(root + "/gold/mon_groups/c"));
  CHECK(fs::is_directory(root + "/gold"));
}

TEST_CASE("a process joins the class and then the monitoring group") {
  const Scratch scratch;
  const std::string root = scratch.path();
  make_class(root, "");
  make_class(root + "/mon_groups/c", "");
  join_resctrl_group(root, {.clos_id = "/", .container_id = "c", .schemata = {}, .monitoring = true}, 42);
  CHECK(base::read_file(root + "/tasks") == "42");
  CHECK(base::read_file(root + "/mon_groups/c/tasks") == "42");
}
