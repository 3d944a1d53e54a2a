#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace trine::images {

/// A stream of bytes. Throws base::Error when it cannot go on.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Up to `into.size()` bytes; 0 at the end.
  virtual std::size_t read(std::span<char> into) = 0;
};

/// A part of a file, read by offset: several may share one descriptor.
class FileRange : public ByteSource {
 public:
  FileRange(int fd, std::uint64_t offset, std::uint64_t size, std::string name)
      : fd_(fd), offset_(offset), left_(size), name_(std::move(name)) {}
  std::size_t read(std::span<char> into) override;

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::string name_;
};

/// A blob that is not what its digest or its size says.
class DamagedBlob : public base::Error {
 public:
  DamagedBlob(const std::string& digest, const std::string& what)
      : Error("the blob " + digest + " " + what, 0, "the image is damaged or forged: fetch it again"),
        digest_(digest) {}
  [[nodiscard]] const std::string& digest() const { return digest_; }

 private:
  std::string digest_;
};

/// Passes on another stream and checks it: exactly `size` bytes, and this digest. The check is made when the
/// end is reached, so the whole must be read; finish() does, and throws
/// DamagedBlob if it must.
class VerifiedSource : public ByteSource {
 public:
  VerifiedSource(ByteSource& from, std::string digest, std::uint64_t size);
  ~VerifiedSource() override;
  std::size_t read(std::span<char> into) override;
  void finish();

 private:
  struct State;
  ByteSource& from_;
  std::string digest_;
  std::uint64_t size_;
  std::uint64_t seen_ = 0;
  bool done_ = false;
  std::unique_ptr<State> state_;
};

/// Undoes gzip or zstd, which the first bytes tell; anything else is passed on as it is.
std::unique_ptr<ByteSource> decompress(ByteSource& from, const std::string& name);

/// Reads all of a stream, at most `limit` bytes.
std::string read_to_end(ByteSource& from, std::size_t limit, const std::string& name);

}  // namespace trine::images
