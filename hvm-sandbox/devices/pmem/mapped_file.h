#pragma once

#include <cstddef>
#include <cstdint>

namespace trine::hvm {

/// A file in the host's memory, read-only: what it holds is there once, however many machines map it. Behind
/// its end are zeros, up to a multiple of kUnit.
class MappedFile {
 public:
  /// What Linux maps persistent memory in. Source: Linux include/linux/mmzone.h, SUBSECTION_SIZE.
  static constexpr std::uint64_t kUnit = 2 << 20;

  /// `file` may be closed then. Throws base::Error when it is empty or cannot be mapped.
  explicit MappedFile(int file);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::byte* data() const { return base_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  ///< a multiple of kUnit

 private:
  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace trine::hvm
