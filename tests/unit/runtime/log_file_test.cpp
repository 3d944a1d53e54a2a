#include "supervisor/log_file.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "runtime/engine/logs.h"

using trine::runtime::engine::parse_log_line;
using trine::runtime::supervisor::LogFile;

namespace {

class Directory {
 public:
  Directory() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Directory() {
    for (const char* name : {"/log", "/log.1", "/log.2", "/log.3"})
      ::unlink((path_ + name).c_str());
    ::rmdir(path_.c_str());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] std::string log(const std::string& suffix = "") const { return path_ + "/log" + suffix; }

 private:
  std::string path_ = "/tmp/log_file_test.XXXXXX";
};

/// Its lines without their times: "stdout F text".
std::vector<std::string> lines_of(const std::string& file) {
  std::vector<std::string> lines;
  for (const std::string& line :
       trine::base::split(trine::base::read_file(file), '\n', trine::base::SplitEmpty::kSkip))
    lines.push_back(line.substr(line.find(' ') + 1));
  return lines;
}

}  // namespace

TEST_CASE("output is logged as lines, and parts of them") {
  const Directory directory;
  LogFile log({.path = directory.log()});
  log.append("stdout", "one\n\ntwo");
  log.append("stderr", "between\n");
  log.append("stdout", " more\n");
  CHECK(lines_of(directory.log()) == std::vector<std::string>{"stdout F one", "stdout F ", "stdout P two",
                                                              "stderr F between", "stdout F  more"});
  struct stat status{};
  REQUIRE(::stat(directory.log().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a log that is too long begins anew, and the older files are kept") {
  const Directory directory;
  LogFile log({.path = directory.log(), .most_bytes = 100, .files = 3});
  for (const char* line : {"first\n", "second\n", "third\n", "fourth\n", "fifth\n", "sixth\n", "seventh\n"})
    log.append("stdout", line);
  CHECK(lines_of(directory.log()) == std::vector<std::string>{"stdout F seventh"});
  CHECK(lines_of(directory.log(".1")) == std::vector<std::string>{"stdout F fifth", "stdout F sixth"});
  CHECK(lines_of(directory.log(".2")) == std::vector<std::string>{"stdout F third", "stdout F fourth"});
  CHECK(::access(directory.log(".3").c_str(), F_OK) != 0);
}

TEST_CASE("a log of one file begins anew in its place") {
  const Directory directory;
  LogFile log({.path = directory.log(), .most_bytes = 60, .files = 1});
  log.append("stdout", "first\n");
  log.append("stdout", "second\n");
  CHECK(lines_of(directory.log()) == std::vector<std::string>{"stdout F second"});
  CHECK(::access(directory.log(".1").c_str(), F_OK) != 0);
}

TEST_CASE("a log is continued") {
  const Directory directory;
  LogFile({.path = directory.log()}).append("stdout", "before\n");
  LogFile({.path = directory.log()}).append("stdout", "after\n");
  CHECK(lines_of(directory.log()) == std::vector<std::string>{"stdout F before", "stdout F after"});
}

TEST_CASE("a line of a log is taken apart") {
  const auto line = parse_log_line("2026-11-22T10:00:00.000000001Z stderr P a b ");
  REQUIRE(line);
  CHECK(line->time == "2026-11-22T10:00:00.000000001Z");
  CHECK(line->is_error);
  CHECK_FALSE(line->is_whole);
  CHECK(line->text == "a b ");
  CHECK(parse_log_line("t stdout F ")->text.empty());
  for (const char* wrong :
       {"", "t", "t ", "t stdout", "t stdout ", "t stdout F", "t stdlog F x", "t stdout X x"})
    CHECK_FALSE(parse_log_line(wrong));
}
