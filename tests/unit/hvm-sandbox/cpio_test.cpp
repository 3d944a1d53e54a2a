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
