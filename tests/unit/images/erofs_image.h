#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "erofs/reader.h"
#include "erofs/writer.h"
#include "layout.h"

/// An image in the directory for temporary files, and what tests do with one.
class ErofsImage {
 public:
  explicit ErofsImage(std::string_view suffix = "")
      : path_(std::filesystem::temp_directory_path() /
              ("trine-erofs-" + trine::base::random_hex(8) + std::string(suffix))),
        fd_(trine::base::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600)) {}
  ~ErofsImage() { ::unlink(path_.c_str()); }
  ErofsImage(const ErofsImage&) = delete;
  ErofsImage& operator=(const ErofsImage&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] trine::images::erofs::Reader reader() const { return {fd_.get(), path_}; }
  [[nodiscard]] std::string bytes() const {
    std::string all(static_cast<std::size_t>(::lseek(fd_.get(), 0, SEEK_END)), '\0');
    (void)!::pread(fd_.get(), all.data(), all.size(), 0);
    return all;
  }

 private:
  std::string path_;
  trine::base::UniqueFd fd_;
};

/// A text as a file's data.
inline trine::images::erofs::DataSource data_of(const std::string& text) {
  return [text, at = std::size_t{0}](std::span<char> into) mutable {
    const std::size_t size = std::min(into.size(), text.size() - at);
    std::memcpy(into.data(), text.data() + at, size);
    at += size;
    return size;
  };
}

inline std::string content_of(const trine::images::erofs::Reader& reader, const std::string& path) {
  const auto inode = reader.find(path);
  if (!inode)
    return "(there is none)";
  std::string text(inode->size, '\0');
  text.resize(reader.read(*inode, 0, text));
  return text;
}
