#include "hvm-sandbox/cpio.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "scratch.h"

using namespace trine;

TEST_CASE("an initramfs is what cpio reads") {
  const test::Scratch scratch;
  hvm::CpioWriter writer;
  writer.add_directory("dev");
  writer.add_character_device("dev/console", 0600, 5, 1);
  writer.add_file("init", "#!x", 0755);
  writer.add_file("empty", "", 0644);
  const std::string archive = std::move(writer).finish();
  CHECK(archive.size() % 4 == 0);
  CHECK(archive.starts_with("070701"));
  CHECK(archive.find("TRAILER!!!") != std::string::npos);
  if (::access("/usr/bin/cpio", X_OK) != 0)
    return;
  const std::string path = scratch.path("archive");
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT, 0600);
  base::write_all(file.get(), archive, path);
  const auto result = base::run_program("/usr/bin/cpio", {"-itv", "--quiet", "-F", path});
  CHECK(result.status.code == 0);
  CHECK_THAT(result.output, Catch::Contains("-rwxr-xr-x") && Catch::Contains("5,   1") &&
                                Catch::Contains(" init") && Catch::Contains(" empty"));
}

TEST_CASE("an archive in pieces is the archive in one") {
  const std::string content = "#!program";
  hvm::CpioWriter whole;
  whole.add_directory("dev");
  whole.add_file("init", content, 0755);
  hvm::CpioWriter begun;
  begun.add_directory("dev");
  const std::string before = std::move(begun).finish_before("init", content.size(), 0755);
  CHECK(before.size() % 4 == 0);
  std::string pieces = before + content;
  pieces.resize((pieces.size() + 3) & ~std::size_t{3});
  CHECK((std::move(whole).finish()).starts_with(pieces));
  CHECK(hvm::CpioWriter{}.finish().starts_with("070701"));
}
