#pragma once

#include <algorithm>
#include <cstring>

#include "bytes.h"

/// What the fuzzer made, as a stream.
class FuzzSource : public trine::images::ByteSource {
 public:
  FuzzSource(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  std::size_t read(std::span<char> into) override {
    const std::size_t size = std::min(into.size(), left_);
    std::memcpy(into.data(), data_, size);
    data_ += size;
    left_ -= size;
    return size;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};
