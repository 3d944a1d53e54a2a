#pragma once

#include <catch2/catch.hpp>
#include <isa-l.h>

#include <string>

/// The bytes that gzip makes of a text.
inline std::string gzip(const std::string& text) {
  std::string packed(text.size() + 1024, '\0');
  isal_zstream stream{};
  isal_deflate_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(packed.data());
  stream.avail_out = static_cast<std::uint32_t>(packed.size());
  REQUIRE(isal_deflate(&stream) == COMP_OK);
  packed.resize(stream.total_out);
  return packed;
}
