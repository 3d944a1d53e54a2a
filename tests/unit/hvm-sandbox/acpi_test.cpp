#include "arch/x86_64/acpi.h"

#include <catch2/catch.hpp>

#include <numeric>

#include "arch/x86_64/aml.h"
#include "arch/x86_64/layout.h"

using namespace trine::hvm;

namespace {

std::string bytes_at(const GuestMemory& memory, std::uint64_t address, std::uint64_t size) {
  std::string bytes(size, '\0');
  memory.slice(address, size)->read(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string table_at(const GuestMemory& memory, std::uint64_t address) {
  return bytes_at(memory, address, memory.slice(address + 4, 4)->load<std::uint32_t>(0));
}

unsigned sum(std::string_view bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0U,
                         [](unsigned total, char c) { return total + static_cast<unsigned char>(c); }) &
         0xffU;
}

}  // namespace

TEST_CASE("the ACPI tables lead to one another, and their sums are right") {
  const GuestMemory memory({{.guest_address = 0, .size = 2 << 20, .offset = 0}});
  x86::write_acpi(memory, {.cpus = 4, .devices = 19});
  const std::string rsdp = bytes_at(memory, x86::kRsdp, 36);
  CHECK(rsdp.starts_with("RSD PTR "));
  CHECK(sum(rsdp.substr(0, 20)) == 0);
  CHECK(sum(rsdp) == 0);
  const auto xsdt = table_at(memory, memory.slice(x86::kRsdp + 24, 8)->load<std::uint64_t>(0));
  CHECK(xsdt.starts_with("XSDT"));
  CHECK(sum(xsdt) == 0);
  std::vector<std::string> tables;
  for (std::size_t offset = 36; offset < xsdt.size(); offset += 8) {
    std::uint64_t address = 0;
    std::memcpy(&address, xsdt.data() + offset, 8);
    tables.push_back(table_at(memory, address));
    CHECK(sum(tables.back()) == 0);
  }
  REQUIRE(tables.size() == 2);
  CHECK(tables[0].starts_with("FACP"));
  CHECK(tables[0].size() == 276);
  CHECK(tables[1].starts_with("APIC"));
  CHECK(tables[1].size() == 36 + 8 + (4 * 8) + 12);
  std::uint64_t dsdt_address = 0;
  std::memcpy(&dsdt_address, tables[0].data() + 140, 8);
  const std::string dsdt = table_at(memory, dsdt_address);
  CHECK(dsdt.starts_with("DSDT"));
  CHECK(sum(dsdt) == 0);
  CHECK(dsdt.find("VR18") != std::string::npos);
}

TEST_CASE("AML's lengths count themselves") {
  CHECK(x86::aml::name("ABCD", x86::aml::integer(1)) == std::string("\x08"
                                                                    "ABCD\x01",
                                                                    6));
  CHECK(x86::aml::scope("_SB_", "x").substr(0, 3) == "\x10\x06_");
  const std::string longer = x86::aml::scope("_SB_", std::string(60, 'x'));
  CHECK(longer.substr(0, 3) == std::string("\x10\x42\x04", 3));
  CHECK(longer.size() == 1 + 0x42);
}

TEST_CASE("a PNP id is packed as the specification's example has it") {
  CHECK(x86::aml::eisa_id("PNP0501") == std::string("\x0c\x41\xd0\x05\x01", 5));
}
