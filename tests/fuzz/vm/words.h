#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

/// Takes numbers and texts off what the fuzzer made; zeroes when nothing is left.
class Words {
 public:
  Words(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  [[nodiscard]] bool empty() const { return left_ == 0; }
  template <class T>
  T take() {
    T value{};
    const std::size_t size = std::min(left_, sizeof value);
    std::memcpy(&value, data_, size);
    data_ += size;
    left_ -= size;
    return value;
  }
  std::string text(std::size_t size) {
    size = std::min(left_, size);
    std::string text(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    left_ -= size;
    return text;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};
