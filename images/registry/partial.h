#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/unique_fd.h"

namespace trine::images {

/// A blob on its way: DIRECTORY/HEX has its bytes, DIRECTORY/HEX.map how far each chunk of it has come. The
/// map is memory shared with the file, so that what is counted there survives kill -9 to the byte. After a
/// power failure the two may disagree; the blob's digest tells.
///
/// One thread writes; another may read what contiguous() says is there.
class Partial {
 public:
  static constexpr std::uint64_t kChunk = 8 << 20;
  static constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 40;

  /// Goes on with what is there when it is of the same size, else begins anew. The caller holds the digest's
  /// lock. Throws Error naming the file.
  Partial(const std::string& directory, const std::string& digest, std::uint64_t size);
  ~Partial();
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] int fd() const { return data_.get(); }
  [[nodiscard]] std::size_t chunks() const { return chunks_; }
  [[nodiscard]] std::uint64_t chunk_size(std::size_t chunk) const;
  /// Bytes of it that are there.
  [[nodiscard]] std::uint64_t done(std::size_t chunk) const;
  /// Bytes of all chunks.
  [[nodiscard]] std::uint64_t done() const;
  /// Bytes from the beginning without a gap.
  [[nodiscard]] std::uint64_t contiguous() const;
  [[nodiscard]] bool complete() const { return contiguous() == size_; }

  /// Puts `bytes` behind what the chunk has. Throws Error when they are more than it takes, or the disk is
  /// full.
  void append(std::size_t chunk, std::span<const char> bytes);
  /// Forgets all that is there.
  void reset();
  /// Removes the files. Open descriptors go on.
  void remove();
  static void remove(const std::string& directory, const std::string& digest);

 private:
  struct Header;
  [[nodiscard]] std::uint64_t* counters() const;

  std::string path_;
  std::uint64_t size_;
  std::size_t chunks_;
  std::size_t map_size_;
  base::UniqueFd data_;
  void* map_ = nullptr;
};

}  // namespace trine::images
