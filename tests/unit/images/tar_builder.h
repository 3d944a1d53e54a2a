#pragma once

#include <cstring>
#include <string>

#include "bytes.h"

namespace trine::images {

/// A source over a text, for tests.
class TextSource : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::size_t read(std::span<char> into) override {
    const std::size_t size = std::min(into.size(), text_.size() - used_);
    std::memcpy(into.data(), text_.data() + used_, size);
    used_ += size;
    return size;
  }

 private:
  std::string text_;
  std::size_t used_ = 0;
};

/// Writes archives member by member.
class TarBuilder {
 public:
  TarBuilder& add(char type, const std::string& path, const std::string& content = {},
                  const std::string& link = {}, unsigned mode = 0644) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t offset, const std::string& text) {
      header.replace(offset, text.size(), text);
    };
    put(0, path.substr(0, 100));
    put(100, octal(mode, 7));
    put(108, octal(0, 7));
    put(116, octal(0, 7));
    put(124, octal(content.size(), 11));
    put(136, octal(1000000000, 11));
    header[156] = type;
    put(157, link.substr(0, 100));
    put(257, std::string("ustar\0"
                         "00",
                         8));
    put(148, "        ");
    unsigned sum = 0;
    for (const char c : header)
      sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string(1, '\0'));
    text_ += header + content;
    text_.append((512 - content.size() % 512) % 512, '\0');
    return *this;
  }
  TarBuilder& pax(const std::string& key, const std::string& value, char type = 'x') {
    const std::size_t body = key.size() + value.size() + 3;
    std::size_t length = body + 1;
    while (std::to_string(length).size() + body != length)
      ++length;
    return add(type, "pax", std::to_string(length) + " " + key + "=" + value + "\n");
  }
  [[nodiscard]] std::string finish() const { return text_ + std::string(1024, '\0'); }

 private:
  static std::string octal(std::uint64_t value, std::size_t width) {
    std::string text(width, '0');
    for (std::size_t i = width; value > 0 && i > 0; value >>= 3)
      text[--i] = static_cast<char>('0' + (value & 7));
    return text;
  }
  std::string text_;
};

}  // namespace trine::images
