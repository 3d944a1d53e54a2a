#include "arch/x86_64/acpi.h"

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "arch/x86_64/aml.h"
#include "arch/x86_64/layout.h"
#include "base/error.h"
#include "devices/serial/serial.h"
#include "virtio/mmio.h"

namespace trine::hvm::x86 {
namespace {

struct [[gnu::packed]] Header {
  char signature[4];
  std::uint32_t length;
  std::uint8_t revision;
  std::uint8_t checksum;
  char oem[6];
  char oem_table[8];
  std::uint32_t oem_revision;
  char creator[4];
  std::uint32_t creator_revision;
};
static_assert(sizeof(Header) == 36);

struct [[gnu::packed]] Rsdp {
  char signature[8];
  std::uint8_t checksum;
  char oem[6];
  std::uint8_t revision;
  std::uint32_t rsdt;
  std::uint32_t length;
  std::uint64_t xsdt;
  std::uint8_t extended_checksum;
  std::uint8_t reserved[3];
};
static_assert(sizeof(Rsdp) == 36);

// The fields of the FADT that say anything in a hardware-reduced machine, by their offsets: all others are 0.
// Source: ACPI 6.5 table 5.9.
constexpr std::size_t kFadtBytes = 276;
constexpr std::size_t kFadtBootFlags = 109;
constexpr std::size_t kFadtFlags = 112;
constexpr std::size_t kFadtResetRegister = 116;
constexpr std::size_t kFadtResetValue = 128;
constexpr std::size_t kFadtMinor = 131;
constexpr std::size_t kFadtDsdt = 140;
constexpr std::size_t kFadtSleepControl = 244;
constexpr std::size_t kFadtSleepStatus = 256;

constexpr std::uint16_t kNoVga = 1U << 2U;
constexpr std::uint16_t kNoCmosClock = 1U << 5U;
constexpr std::uint32_t kFixedButtons = (1U << 4U) | (1U << 5U);  ///< no power or sleep button registers
constexpr std::uint32_t kResetSupported = 1U << 10U;
constexpr std::uint32_t kHardwareReduced = 1U << 20U;

std::uint8_t checksum_of(std::string_view bytes) {
  return static_cast<std::uint8_t>(
      0U - std::accumulate(bytes.begin(), bytes.end(), 0U,
                           [](unsigned sum, char c) { return sum + static_cast<unsigned char>(c); }));
}

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
void set(std::string& bytes, std::size_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

std::string table(const char (&signature)[5], std::uint8_t revision, std::string_view body) {
  Header header{.length = static_cast<std::uint32_t>(sizeof(Header) + body.size()), .revision = revision};
  std::memcpy(header.signature, signature, 4);
  std::memcpy(header.oem, "TRINE ", sizeof header.oem);
  std::memcpy(header.oem_table, "TRINEVM ", sizeof header.oem_table);
  std::memcpy(header.creator, "TRIN", sizeof header.creator);
  header.oem_revision = header.creator_revision = 1;
  std::string bytes;
  append(bytes, header);
  bytes.append(body);
  set(bytes, offsetof(Header, checksum), checksum_of(bytes));
  return bytes;
}

/// A generic address structure of an 8-bit port.
std::string port_register(std::uint16_t port) {
  std::string bytes{1, 8, 0, 1};  // system I/O, 8 bits wide, no offset, byte access
  append(bytes, static_cast<std::uint64_t>(port));
  return bytes;
}

std::string virtio_device(unsigned index) {
  const std::uint64_t address = kDevices + (index * MmioTransport::kWindow);
  return aml::device(
      "VR" + std::string{static_cast<char>('0' + (index / 10)), static_cast<char>('0' + (index % 10))},
      aml::name("_HID", aml::text("LNRO0005")) + aml::name("_UID", aml::integer(index)) +
          aml::name("_CCA", aml::integer(1)) +
          aml::name("_CRS", aml::resources(
                                aml::memory32(static_cast<std::uint32_t>(address), MmioTransport::kWindow) +
                                aml::interrupt(device_interrupt(index)))));
}

std::string dsdt(const AcpiFacts& facts) {
  std::string bus =
      aml::device("COM1", aml::name("_HID", aml::eisa_id("PNP0501")) + aml::name("_UID", aml::integer(0)) +
                              aml::name("_CRS", aml::resources(aml::ports(Serial::kBase, Serial::kPorts) +
                                                               aml::interrupt(Serial::kInterrupt))));
  for (unsigned index = 0; index < facts.devices; ++index)
    bus += virtio_device(index);
  const std::string off = aml::integer(kSleepTypeOff);
  return table("DSDT", 6,
               aml::scope("_SB_", bus) +
                   aml::name("_S5_", aml::package({off, off, aml::integer(0), aml::integer(0)})));
}

std::string madt(const AcpiFacts& facts) {
  std::string body;
  append(body, static_cast<std::uint32_t>(kLocalApic));
  append(body, std::uint32_t{0});  // flags: no 8259
  for (unsigned cpu = 0; cpu < facts.cpus; ++cpu) {
    body += std::string{0, 8, static_cast<char>(cpu), static_cast<char>(cpu)};
    append(body, std::uint32_t{1});  // enabled
  }
  body += std::string{1, 12, 0, 0};  // the I/O APIC: id 0
  append(body, static_cast<std::uint32_t>(kIoApic));
  append(body, std::uint32_t{0});  // its first interrupt
  return table("APIC", 6, body);
}

std::string fadt(std::uint64_t dsdt_address) {
  std::string bytes(kFadtBytes - sizeof(Header), '\0');
  const auto put = [&](std::size_t offset, const auto& value) { set(bytes, offset - sizeof(Header), value); };
  const auto put_register = [&](std::size_t offset, std::uint16_t port) {
    bytes.replace(offset - sizeof(Header), 12, port_register(port));
  };
  put(kFadtBootFlags, static_cast<std::uint16_t>(kNoVga | kNoCmosClock));
  put(kFadtFlags, kFixedButtons | kResetSupported | kHardwareReduced);
  put_register(kFadtResetRegister, kResetPort);
  put(kFadtResetValue, kResetValue);
  put(kFadtMinor, std::uint8_t{5});
  put(kFadtDsdt, dsdt_address);
  put_register(kFadtSleepControl, kSleepControl);
  put_register(kFadtSleepStatus, kSleepStatus);
  return table("FACP", 6, bytes);
}

std::string rsdp(std::uint64_t xsdt) {
  Rsdp root{.revision = 2, .length = sizeof(Rsdp), .xsdt = xsdt};
  std::memcpy(root.signature, "RSD PTR ", sizeof root.signature);
  std::memcpy(root.oem, "TRINE ", sizeof root.oem);
  std::string bytes;
  append(bytes, root);
  set(bytes, offsetof(Rsdp, checksum), checksum_of(std::string_view(bytes).substr(0, 20)));
  set(bytes, offsetof(Rsdp, extended_checksum), checksum_of(bytes));
  return bytes;
}

}  // namespace

void write_acpi(const GuestMemory& memory, const AcpiFacts& facts) {
  std::uint64_t next = kTables;
  const auto put_at = [&](std::uint64_t address, std::string_view bytes) {
    const auto place = memory.slice(address, bytes.size());
    if (!place)
      throw base::Error("the guest's memory is too small for the monitor's own tables", 0,
                        "give it more: --memory");
    place->write(0, std::as_bytes(std::span(bytes)));
  };
  const auto put_next = [&](std::string_view bytes) {
    const std::uint64_t address = next;
    put_at(address, bytes);
    next = (address + bytes.size() + 15) & ~15ULL;
    return address;
  };
  const std::uint64_t dsdt_address = put_next(dsdt(facts));
  std::string list;
  append(list, put_next(fadt(dsdt_address)));
  append(list, put_next(madt(facts)));
  const std::uint64_t xsdt = put_next(table("XSDT", 1, list));
  if (next > kRsdp)
    throw base::Error("the ACPI tables of so many devices do not fit");
  put_at(kRsdp, rsdp(xsdt));
}

}  // namespace trine::hvm::x86
