#include "boot/elf.h"

#include <catch2/catch.hpp>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "base/unique_fd.h"
#include "elf_builder.h"

using namespace trine::hvm;
using namespace trine::hvm::test;

namespace {

constexpr std::uint64_t kLowest = 0x100000;

struct Loader {
  GuestMemory memory{{{.guest_address = 0, .size = 4 << 20, .offset = 0}}};

  std::expected<LoadedKernel, std::string> load(const std::string& file) {
    const trine::base::UniqueFd fd(::memfd_create("kernel", MFD_CLOEXEC));
    REQUIRE(::write(fd.get(), file.data(), file.size()) == static_cast<ssize_t>(file.size()));
    return load_elf(fd.get(), memory, kLowest);
  }
  std::string error(const ElfFile& file) { return error(file.bytes()); }
  std::string error(const std::string& file) {
    const auto loaded = load(file);
    REQUIRE(!loaded);
    return loaded.error();
  }
};

}  // namespace

TEST_CASE("a kernel is loaded where it says, and entered where its PVH note says") {
  Loader loader;
  ElfFile file;
  file.load.p_memsz += 0x100;
  const auto kernel = loader.load(file.bytes());
  REQUIRE(kernel);
  CHECK(kernel->entry == 0x100000);
  CHECK(kernel->end == 0x100000 + file.load.p_memsz);
  std::string code(file.code.size(), '\0');
  loader.memory.slice(0x100000, code.size())->read(0, std::as_writable_bytes(std::span(code)));
  CHECK(code == file.code);
}

TEST_CASE("what is wrong with a kernel's file is said") {
  Loader loader;
  ElfFile file;
  CHECK_THAT(loader.error(""), Catch::Contains("no ELF"));
  CHECK_THAT(loader.error("#!/bin/sh"), Catch::Contains("no ELF"));
  SECTION("another processor") {
    file.header.e_machine = EM_AARCH64;
    CHECK_THAT(loader.error(file), Catch::Contains("another processor"));
  }
  SECTION("no note") {
    file.note_type = 1;
    CHECK_THAT(loader.error(file), Catch::Contains("PVH"));
  }
  SECTION("too low") {
    file.load.p_paddr = 0x1000;
    CHECK_THAT(loader.error(file), Catch::Contains("below 1 MiB"));
  }
  SECTION("too large") {
    file.load.p_memsz = 16 << 20;
    CHECK_THAT(loader.error(file), Catch::Contains("does not fit"));
  }
  SECTION("an address that wraps") {
    file.load.p_paddr = UINT64_MAX - 16;
    CHECK_THAT(loader.error(file), Catch::Contains("does not fit"));
  }
  SECTION("longer in the file than in memory") {
    file.load.p_memsz = 1;
    CHECK_THAT(loader.error(file), Catch::Contains("longer in the file"));
  }
  SECTION("cut short") {
    file.load.p_filesz = file.load.p_memsz = 0x10000;
    CHECK_THAT(loader.error(file), Catch::Contains("cut short"));
  }
  SECTION("a segment at an offset that is none") {
    file.load.p_offset = UINT64_MAX;
    CHECK_THAT(loader.error(file), Catch::Contains("cut short"));
  }
  SECTION("an entry elsewhere") {
    file.entry = 0x200000;
    CHECK_THAT(loader.error(file), Catch::Contains("outside"));
  }
  SECTION("too many headers") {
    file.header.e_phnum = 0xffff;
    CHECK_THAT(loader.error(file), Catch::Contains("headers"));
  }
  SECTION("headers elsewhere") {
    file.header.e_phoff = UINT64_MAX - 8;
    CHECK_THAT(loader.error(file), Catch::Contains("headers"));
  }
}

TEST_CASE("a kernel that is cut anywhere is an error, not a crash") {
  Loader loader;
  const std::string whole = ElfFile().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(!loader.load(whole.substr(0, size)));
}
