#include "hvm-sandbox/cpio.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>

namespace trine::hvm {

void CpioWriter::pad() {
  archive_.resize((archive_.size() + 3) & ~std::size_t{3});
}

void CpioWriter::add_header(std::string_view path, const Entry& entry, std::size_t size) {
  const std::array<unsigned, 13> fields{++inode_,
                                        entry.mode,
                                        0,
                                        0,
                                        entry.links,
                                        0,
                                        static_cast<unsigned>(size),
                                        0,
                                        0,
                                        entry.major,
                                        entry.minor,
                                        static_cast<unsigned>(path.size() + 1),
                                        0};
  archive_ += "070701";
  for (const unsigned field : fields) {
    std::array<char, 9> text{};
    (void)std::snprintf(text.data(), text.size(), "%08X", field);
    archive_ += text.data();
  }
  archive_.append(path);
  archive_ += '\0';
  pad();
}

void CpioWriter::add(std::string_view path, const Entry& entry, std::string_view content) {
  add_header(path, entry, content.size());
  archive_.append(content);
  pad();
}

void CpioWriter::add_directory(std::string_view path, unsigned mode) {
  add(path, {.mode = S_IFDIR | mode, .links = 2}, {});
}

void CpioWriter::add_file(std::string_view path, std::string_view content, unsigned mode) {
  add(path, {.mode = S_IFREG | mode}, content);
}

void CpioWriter::add_character_device(std::string_view path, unsigned mode, unsigned major, unsigned minor) {
  add(path, {.mode = S_IFCHR | mode, .major = major, .minor = minor}, {});
}

std::string CpioWriter::finish_before(std::string_view path, std::size_t size, unsigned mode) && {
  add_header(path, {.mode = S_IFREG | mode}, size);
  return std::move(archive_);
}

std::string CpioWriter::finish() && {
  add("TRAILER!!!", {}, {});
  return std::move(archive_);
}

}  // namespace trine::hvm
