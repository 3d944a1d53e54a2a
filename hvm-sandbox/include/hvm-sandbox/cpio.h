#pragma once

#include <string>
#include <string_view>

namespace trine::hvm {

/// Makes a cpio archive as the kernel unpacks it into its first root: directories before what is in them.
/// Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
class CpioWriter {
 public:
  void add_directory(std::string_view path, unsigned mode = 0755);
  void add_file(std::string_view path, std::string_view content, unsigned mode);
  void add_character_device(std::string_view path, unsigned mode, unsigned major, unsigned minor);
  /// The archive up to where the content of a last file belongs, so that the content need not be copied: it
  /// follows, then the archive that another writer finishes, each at a multiple of 4 bytes.
  [[nodiscard]] std::string finish_before(std::string_view path, std::size_t size, unsigned mode) &&;
  /// The archive, with its trailer; the writer is done.
  [[nodiscard]] std::string finish() &&;

 private:
  struct Entry {
    unsigned mode = 0;
    unsigned links = 1;
    unsigned major = 0;
    unsigned minor = 0;
  };
  void add_header(std::string_view path, const Entry& entry, std::size_t size);
  void add(std::string_view path, const Entry& entry, std::string_view content);
  void pad();

  std::string archive_;
  unsigned inode_ = 0;
};

}  // namespace trine::hvm
