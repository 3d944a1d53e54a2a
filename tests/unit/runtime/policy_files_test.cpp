#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.h"
#include "runtime/policy/files.h"
#include "scratch.h"

using namespace trine::runtime::policy;
using trine::test::Scratch;

namespace {

std::string fault(const std::string& directory) {
  try {
    (void)load_policy(directory, ::geteuid());
  } catch (const trine::base::Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A directory for policies with `name` in it.
class Files {
 public:
  Files() { REQUIRE(::mkdir(path_.c_str(), 0755) == 0); }
  [[nodiscard]] const std::string& path() const { return path_; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    const std::string file = path_ + "/" + name;
    std::ofstream(file) << text;
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    return file;
  }

 private:
  Scratch scratch_;
  std::string path_ = scratch_.path("isolation.d");
};

}  // namespace

TEST_CASE("no directory is no policy, and something else in its place is an error") {
  const Scratch scratch;
  CHECK_FALSE(load_policy(scratch.path("none/isolation.d"), ::geteuid()));
  CHECK_FALSE(load_policy("/dev/null/.config/trine/isolation.d", ::geteuid()));
  const std::string file = scratch.path("isolation.d");
  std::ofstream(file) << "{}";
  CHECK(has(fault(file), "cannot open the isolation policy " + file));
  REQUIRE(::unlink(file.c_str()) == 0);
  REQUIRE(::symlink("nowhere", file.c_str()) == 0);
  CHECK(has(fault(file), "cannot open the isolation policy " + file));
}

TEST_CASE("files are read in the order of their names, and only *.json") {
  Files files;
  files.write("20-b.json", R"({"rules": [{"class": "vm", "reason": "second"}]})");
  files.write("10-a.json", R"({"rules": [{"class": "vm", "reason": "first"}]})");
  files.write("README", "no JSON");
  files.write(".hidden.json", "no JSON");
  files.write("30-c.json~", "no JSON");
  const auto policy = load_policy(files.path(), ::geteuid());
  REQUIRE(policy);
  REQUIRE(policy->rules.size() == 2);
  CHECK(policy->rules[0].reason == "first");
  CHECK(policy->rules[1].place == files.path() + "/20-b.json: $.rules[0]");
}

TEST_CASE("what others may write to is no policy") {
  Files files;
  const std::string file = files.write("a.json", "{}", 0664);
  CHECK(has(fault(files.path()), file + " can be written to by others"));
  REQUIRE(::chmod(file.c_str(), 0646) == 0);
  CHECK(has(fault(files.path()), file + " can be written to by others"));
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  CHECK(fault(files.path()).empty());
  REQUIRE(::chmod(files.path().c_str(), 0777) == 0);
  CHECK(has(fault(files.path()), files.path() + " can be written to by others"));
  REQUIRE(::chmod(files.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((files.path() + "/..").c_str(), 0777) == 0);
  CHECK(has(fault(files.path()), "/.. can be written to by others"));
}

TEST_CASE("a file of somebody else's is refused") {
  if (::geteuid() != 0) {
    WARN("skipped: needs root");
    return;
  }
  Files files;
  const std::string file = files.write("a.json", "{}");
  REQUIRE(::chown(file.c_str(), 1000, 1000) == 0);
  CHECK(has(fault(files.path()), file + " belongs to user 1000"));
  CHECK_NOTHROW(load_policy(files.path(), 1000));
}

TEST_CASE("what is no regular file is refused, and not waited for") {
  Files files;
  const std::string file = files.path() + "/a.json";
  REQUIRE(::mkfifo(file.c_str(), 0644) == 0);
  CHECK(has(fault(files.path()), file + " is no file"));
  REQUIRE(::unlink(file.c_str()) == 0);
  REQUIRE(::symlink("/dev/null", file.c_str()) == 0);
  CHECK(has(fault(files.path()), file + " is a symlink"));
  REQUIRE(::unlink(file.c_str()) == 0);
  REQUIRE(::mkdir(file.c_str(), 0755) == 0);
  CHECK(has(fault(files.path()), file + " is no file"));
}

TEST_CASE("one broken file breaks the policy") {
  Files files;
  files.write("10.json", R"({"rules": [{"class": "container"}]})");
  const std::string file = files.write("20.json", "{\n\n\"rules\": [}\n");
  CHECK(has(fault(files.path()), file + " is no JSON: line 3"));
  files.write("20.json", std::string(kMaxFile + 1, ' '));
  CHECK(has(fault(files.path()), file));
}
