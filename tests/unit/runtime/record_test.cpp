#include "engine/record.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <string>

#include "base/process.h"
#include "base/time.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime::engine;

namespace {

Record record() {
  Record made;
  made.id = std::string(64, 'a');
  made.name = "web";
  made.image = "debian:12";
  made.image_digest = "sha256:1";
  made.command = {"sh", "-c", "echo \"hi\"\n"};
  made.labels = {{"b", "2"}, {"a", "1"}};
  made.annotations = {{"key", ""}};
  made.created = base::now_utc();
  made.remove = true;
  made.stop_signal = "SIGTERM";
  made.cgroups = {"/sys/fs/cgroup/memory/trine-a"};
  made.status = "running";
  made.pid = 42;
  made.start_time = 18446744073709551615ULL;
  made.oom_killed = true;
  return made;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a record is read as it was written") {
  Record before = record();
  before.exit_code = 137;
  before.error = "its monitor was killed";
  const auto after = parse_record(to_json(before));
  REQUIRE(after);
  CHECK(after->id == before.id);
  CHECK(after->command == before.command);
  CHECK(after->labels == before.labels);
  CHECK(after->annotations == before.annotations);
  CHECK(after->cgroups == before.cgroups);
  CHECK(after->pid == 42);
  CHECK(after->start_time == before.start_time);
  CHECK(after->exit_code == 137);
  CHECK(after->remove);
  CHECK(after->oom_killed);
  CHECK(after->error == before.error);
}

TEST_CASE("an instance that has not ended has no exit code") {
  const auto after = parse_record(to_json(record()));
  REQUIRE(after);
  CHECK_FALSE(after->exit_code);
}

TEST_CASE("a command that is no UTF-8 does not keep the record from being written") {
  Record before = record();
  before.command = {"\xff\xfe"};
  CHECK(parse_record(to_json(before)));
}

TEST_CASE("a record cut short anywhere is none") {
  const std::string whole = to_json(record());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)  // the last byte is a newline
    CHECK_FALSE(parse_record(whole.substr(0, size)));
  CHECK(parse_record(whole));
}

TEST_CASE("a record with a field missing, or of another type, is none") {
  const std::string whole = to_json(record());
  CHECK_FALSE(parse_record(replaced(whole, "\"pid\"", "\"other\"")));
  CHECK_FALSE(parse_record(replaced(whole, "\"pid\":42", "\"pid\":\"42\"")));
  CHECK_FALSE(parse_record(replaced(whole, "\"pid\":42", "\"pid\":null")));
  CHECK_FALSE(parse_record(replaced(whole, "\"remove\":true", "\"remove\":1")));
  CHECK_FALSE(parse_record(replaced(whole, "\"command\":[\"sh\"", "\"command\":[7")));
  CHECK_FALSE(parse_record(replaced(whole, "\"b\":\"2\"", "\"b\":[]")));
  CHECK_FALSE(parse_record(replaced(whole, "\"exitCode\":null", "\"exitCode\":{}")));
  for (const char* text : {"null", "[]", "{}", "7", "\"text\"", "", "\xff"})
    CHECK_FALSE(parse_record(text));
}

TEST_CASE("a record nested as deep as it may be long is none, and does no harm") {
  const std::size_t size = 1 << 20;
  CHECK_FALSE(parse_record(std::string(size, '[')));
  CHECK_FALSE(parse_record(std::string(size / 2, '[') + std::string(size / 2, ']')));
}

TEST_CASE("what another version adds is passed over") {
  CHECK(parse_record(replaced(to_json(record()), "{\"id\"", "{\"new\":{\"deep\":[1]},\"id\"")));
}

TEST_CASE("a directory without a record, or with something else in its place, has none") {
  const test::Scratch scratch;
  CHECK_FALSE(read_record(scratch.path("missing")));
  CHECK_FALSE(read_record(scratch.path()));
  scratch.make_file("record.json", "{\"id\":");
  CHECK_FALSE(read_record(scratch.path()));
  scratch.make_file("record.json", to_json(record()));
  CHECK(read_record(scratch.path()));
  scratch.make_file("record.json", std::string(2 << 20, ' ') + to_json(record()));
  CHECK_FALSE(read_record(scratch.path()));
  scratch.make_directory("other/record.json");
  CHECK_FALSE(read_record(scratch.path("other")));
}

TEST_CASE("times are in UTC, sort as text, and have nine digits behind the second") {
  const std::string first = base::now_utc();
  const std::string second = base::now_utc();
  CHECK(first <= second);
  CHECK(first.size() == std::string("2026-11-21T05:20:52.123456789Z").size());
  CHECK(first.back() == 'Z');
}

TEST_CASE("a process has one time of its beginning, and one that is gone has none") {
  CHECK(base::process_info(::getpid()).start_time > 0);
  CHECK(base::process_info(::getpid()).start_time == base::process_info(::getpid()).start_time);
  CHECK(base::process_info(0x7fffffff).start_time == 0);
}
