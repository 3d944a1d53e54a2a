#include <catch2/catch.hpp>
#include <lzma.h>
#include <zstd.h>

#include <cstring>

#include "boot/bzimage.h"
#include "boot/decompress.h"
#include "boot/lz4.h"
#include "gzip.h"

using namespace trine::hvm;

namespace {

/// Text that compresses, begins like an ELF file, and is longer than any look-back of LZ4.
std::string kernel_text() {
  std::string text = "\177ELF";
  for (unsigned i = 0; text.size() < 200'000; ++i)
    text += "line " + std::to_string(i * 7919U % 1000U) + " of a kernel\n";
  return text;
}

std::string xz(const std::string& text) {
  std::string packed(text.size() + 1024, '\0');
  std::size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(
              6, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
              reinterpret_cast<std::uint8_t*>(packed.data()), &size, packed.size()) == LZMA_OK);
  packed.resize(size);
  return packed;
}

std::string zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

/// LZ4 of literals only, with one match at the front that overlaps itself: "ELF" as it is, then the rest.
std::string lz4(const std::string& text) {
  std::string block;
  const auto literals = [&](std::string_view part, unsigned match_bits) {
    block += static_cast<char>((std::min<std::size_t>(part.size(), 15) << 4U) | match_bits);
    if (part.size() >= 15) {
      std::size_t left = part.size() - 15;
      for (; left >= 255; left -= 255)
        block += '\xff';
      block += static_cast<char>(left);
    }
    block.append(part);
  };
  literals(text, 0);
  const auto number = [](std::size_t value) {
    std::string bytes(4, '\0');
    const auto small = static_cast<std::uint32_t>(value);
    std::memcpy(bytes.data(), &small, 4);
    return bytes;
  };
  return "\x02\x21\x4c\x18" + number(block.size()) + block;
}

std::string image_of(const std::string& payload, std::size_t size) {
  std::string image(0x1000, '\0');
  const auto put = [&](std::size_t offset, auto value) {
    std::memcpy(image.data() + offset, &value, sizeof value);
  };
  put(0x1f1, std::uint8_t{4});
  std::memcpy(image.data() + 0x202, "HdrS", 4);
  put(0x206, std::uint16_t{0x20f});
  put(0x248, std::uint32_t{0x1000 - (5 * 512)});
  const auto small = static_cast<std::uint32_t>(size);
  std::string tail(4, '\0');
  std::memcpy(tail.data(), &small, 4);
  put(0x24c, static_cast<std::uint32_t>(payload.size() + 4));
  return image + payload + tail;
}

auto unpack(const std::string& image) {
  return unpack_kernel(std::as_bytes(std::span(image)));
}

std::string text_of_bytes(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a kernel is unpacked however it was packed") {
  const std::string text = kernel_text();
  for (const auto& packed : {gzip(text), xz(text), zstd(text), lz4(text)}) {
    const auto kernel = unpack(image_of(packed, text.size()));
    REQUIRE(kernel);
    CHECK(text_of_bytes(*kernel) == text);
  }
  CHECK(text_of_bytes(unpack(text).value()) == text);
}

TEST_CASE("an image that is damaged or lies about its size is an error") {
  const std::string text = kernel_text();
  for (const auto& packed : {gzip(text), xz(text), zstd(text), lz4(text)}) {
    CHECK(!unpack(image_of(packed, text.size() + 1)));
    CHECK(!unpack(image_of(packed, text.size() - 1)));
    CHECK(!unpack(image_of(packed.substr(0, packed.size() / 2), text.size())));
    CHECK_THAT(unpack(image_of(packed, 0xffffffff)).error(), Catch::Contains("MiB"));
    CHECK(unpack(image_of(packed, text.size()).substr(0, 0x1100)).error() == "it is cut short");
  }
  CHECK_THAT(unpack("MZ no kernel").error(), Catch::Contains("neither"));
  CHECK_THAT(unpack(image_of("BZh91AY&SY", 100)).error(), Catch::Contains("something else"));
  CHECK_THAT(unpack(image_of(zstd("no ELF file"), 11)).error(), Catch::Contains("no ELF file"));
}

TEST_CASE("LZ4's matches may overlap what they make, and reach no further back than there is") {
  const auto unpacked = [](std::string_view block, std::size_t size) -> std::string {
    std::string packed("\x02\x21\x4c\x18", 4);
    packed += std::string{static_cast<char>(block.size()), 0, 0, 0};
    packed += block;
    std::string out(size, '?');
    return unpack_lz4(std::as_bytes(std::span(packed)), std::as_writable_bytes(std::span(out))) ? out
                                                                                                : "error";
  };
  using namespace std::string_view_literals;
  CHECK(unpacked("\x24\x61\x62\x02\x00\x10\x7a"sv, 11) ==
        "ababababab"
        "z");
  CHECK(unpacked("\x20\x61\x62\x03\x00\x10\x7a"sv, 7) == "error");
  CHECK(unpacked("\x20\x61\x62\x00\x00\x10\x7a"sv, 7) == "error");
  CHECK(unpacked("\x20\x61\x62\x02"sv, 7) == "error");
  CHECK(unpacked("\xf0\xff\xff"sv, 7) == "error");
  CHECK(unpacked("\x20\x61\x62\x02\x00"sv, 3) == "error");
}
