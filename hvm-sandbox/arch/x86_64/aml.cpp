#include "arch/x86_64/aml.h"

#include <array>
#include <cstring>

namespace trine::hvm::x86::aml {
namespace {

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string byte(unsigned value) {
  return {static_cast<char>(value)};
}

/// PkgLength counts its own bytes too, of which there are as many as it takes.
std::string with_length(std::string_view body) {
  if (body.size() + 1 < 0x40)
    return byte(static_cast<unsigned>(body.size() + 1)).append(body);
  unsigned extra = 1;
  while (body.size() + 1 + extra >= (1ULL << (4 + (8 * extra))))
    ++extra;
  const std::size_t length = body.size() + 1 + extra;
  std::string bytes = byte((extra << 6U) | (length & 0xfU));
  for (unsigned i = 0; i < extra; ++i)
    bytes += byte((length >> (4 + (8 * i))) & 0xffU);
  return bytes.append(body);
}

/// A name of four characters, or one behind a root's backslash.
std::string name_string(std::string_view name) {
  return std::string(name);
}

}  // namespace

std::string scope(std::string_view name, std::string_view body) {
  return byte(0x10) + with_length(name_string(name).append(body));
}

std::string device(std::string_view name, std::string_view body) {
  return byte(0x5b) + byte(0x82) + with_length(name_string(name).append(body));
}

std::string name(std::string_view name, std::string_view value) {
  return (byte(0x08) + name_string(name)).append(value);
}

std::string integer(std::uint32_t value) {
  if (value <= 1)
    return byte(value);
  if (value <= 0xff)
    return byte(0x0a) + byte(value);
  if (value <= 0xffff)
    return byte(0x0b) + little_endian(static_cast<std::uint16_t>(value));
  return byte(0x0c) + little_endian(value);
}

std::string text(std::string_view value) {
  return byte(0x0d).append(value) + byte(0);
}

std::string package(std::initializer_list<std::string> values) {
  std::string body = byte(static_cast<unsigned>(values.size()));
  for (const std::string& value : values)
    body += value;
  return byte(0x12) + with_length(body);
}

std::string eisa_id(std::string_view id) {
  const auto letter = [&](std::size_t i) { return static_cast<unsigned>(id[i] - '@') & 0x1fU; };
  const auto digit = [&](std::size_t i) {
    const char c = id[i];
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'A' + 10);
  };
  const unsigned vendor = (letter(0) << 10U) | (letter(1) << 5U) | letter(2);
  const unsigned product = (digit(3) << 12U) | (digit(4) << 8U) | (digit(5) << 4U) | digit(6);
  return byte(0x0c) + byte(vendor >> 8U) + byte(vendor & 0xffU) + byte(product >> 8U) + byte(product & 0xffU);
}

std::string resources(std::string_view descriptors) {
  const std::string bytes = std::string(descriptors) + byte(0x79) + byte(0);
  return byte(0x11) + with_length(integer(static_cast<std::uint32_t>(bytes.size())) + bytes);
}

std::string memory32(std::uint32_t address, std::uint32_t size) {
  return byte(0x86) + little_endian<std::uint16_t>(9) + byte(1) + little_endian(address) +
         little_endian(size);
}

std::string ports(std::uint16_t first, std::uint8_t count) {
  return byte(0x47) + byte(1) + little_endian(first) + little_endian(first) + byte(1) + byte(count);
}

std::string interrupt(std::uint32_t number) {
  constexpr unsigned kConsumer = 1;
  constexpr unsigned kEdge = 2;
  constexpr unsigned kShared = 8;
  return byte(0x89) + little_endian<std::uint16_t>(6) + byte(kConsumer | kEdge | kShared) + byte(1) +
         little_endian(number);
}

}  // namespace trine::hvm::x86::aml
