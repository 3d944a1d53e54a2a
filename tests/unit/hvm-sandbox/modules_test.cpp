#include "kernel/modules.h"

#include <catch2/catch.hpp>
#include <fcntl.h>

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

using namespace trine;

namespace {

void write(const std::string& path, std::string_view content) {
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT, 0644);
  base::write_all(file.get(), content, path);
}

std::string module(const std::string& needs) {
  using namespace std::string_literals;
  return "\177ELF....license=GPL\0depends="s + needs + "\0retpoline=Y\0"s;
}

}  // namespace

TEST_CASE("a module's name is the same with dashes and underscores") {
  CHECK(hvm::module_name("kernel/drivers/virtio-rng.ko") == "virtio_rng");
  CHECK(hvm::module_name("virtio_rng") == "virtio_rng");
}

TEST_CASE("a module's file says what it needs") {
  CHECK(hvm::module_dependencies(module("virtio,virtio-ring")) ==
        std::vector<std::string>{"virtio", "virtio_ring"});
  CHECK(hvm::module_dependencies(module("")).empty());
  CHECK(hvm::module_dependencies("no module").empty());
}

TEST_CASE("a module's signature is taken off, and nothing else") {
  using namespace std::string_literals;
  const std::string mark = "~Module signature appended~\n";
  const std::string header = "\0\0\2\0\0\0\0\0"s;
  CHECK(hvm::without_signature("code" + std::string(300, 's') + header + "\0\0\1\x2c"s + mark) == "code");
  CHECK(hvm::without_signature("code") == "code");
  CHECK(hvm::without_signature("") == "");
  SECTION("a length that cannot be leaves the file as it is") {
    for (const std::string& length : {"\0\0\0\x05"s, "\xff\xff\xff\xff"s}) {
      const std::string file = "code" + header + length + mark;
      CHECK(hvm::without_signature(file) == file);
    }
    CHECK(hvm::without_signature(mark) == mark);
  }
}

TEST_CASE("modules stand behind what they need, once, without what is built in") {
  const test::Scratch scratch;
  const std::string directory = scratch.path("modules");
  base::make_directories(directory + "/kernel/a");
  write(directory + "/modules.builtin", "kernel/crypto/crc32c_generic.ko\n");
  write(directory + "/kernel/a/top.ko", module("middle,low"));
  write(directory + "/kernel/a/middle.ko", module("low,crc32c-generic"));
  write(directory + "/kernel/a/low.ko", module(""));
  const std::string at = directory + "/kernel/a/";
  CHECK(hvm::modules_in_order(directory, {"top", "low", "crc32c_generic"}) ==
        std::vector<std::string>{at + "low.ko", at + "middle.ko", at + "top.ko"});
  CHECK(hvm::has_module(directory, "low"));
  CHECK_FALSE(hvm::has_module(directory, "crc32c_generic"));
  CHECK_THROWS_WITH(hvm::modules_in_order(directory, {"absent"}), Catch::Contains("no module absent"));
}
