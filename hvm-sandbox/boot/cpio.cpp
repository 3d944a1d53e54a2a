#include "hvm-sandbox/cpio.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>

namespace trine::hvm {

void CpioWriter::pad() {
  archive_.resize((archive_.size() + 3) & ~std::size_t{3});
}

void CpioWriter::add(std::string_view path, const Entry& entry, std::string_view content) {
  const std::array<unsigned, 13> fields{++inode_,
                                        entry.mode,
                                        0,
                                        0,
                                        entry.links,
                                        0,
                                        static_cast<unsigned>(content.size()),
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

std::string CpioWriter::finish() && {
  add("TRAILER!!!", {}, {});
  return std::move(archive_);
}

}  // namespace trine::hvm
