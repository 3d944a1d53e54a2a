#pragma once

#include <linux/fuse.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "virtio/queue.h"

/// FUSE messages in a chain of buffers. Source: Linux include/uapi/linux/fuse.h, protocol 7.36.
namespace trine::hvm {

/// The error of an operation: an errno, positive. kDone is success.
using FsError = int;
constexpr FsError kDone = 0;

/// What the guest asks, copied out of its memory once: nothing is read there again but the data of WRITE.
class FsRequest {
 public:
  /// The most that a request may hold beside the data of WRITE: a whole extended attribute and its name.
  static constexpr std::size_t kMostBytes = 80 << 10;

  /// Nothing when there is no whole header.
  static std::optional<FsRequest> parse(const Chain& chain);

  [[nodiscard]] const fuse_in_header& header() const noexcept { return header_; }
  [[nodiscard]] std::uint64_t node() const noexcept { return header_.nodeid; }
  [[nodiscard]] const Chain& chain() const noexcept { return *chain_; }
  /// It is longer than any request is.
  [[nodiscard]] bool too_long() const noexcept { return too_long_; }

  /// The next structure of the request; one that is cut off is EINVAL.
  template <class T>
  [[nodiscard]] std::expected<T, FsError> take() {
    T value{};
    if (body_.size() - next_ < sizeof value)
      return std::unexpected(EINVAL);
    body_.copy(reinterpret_cast<char*>(&value), sizeof value, next_);
    next_ += sizeof value;
    return value;
  }
  /// The next text, up to its zero.
  [[nodiscard]] std::expected<std::string, FsError> take_text(std::size_t most);
  /// The same as the name of something in a directory: never empty, ".", ".." or with a slash in it.
  [[nodiscard]] std::expected<std::string, FsError> take_name();
  [[nodiscard]] std::expected<std::string, FsError> take_bytes(std::size_t count);
  /// Where in the chain's readable part the rest of the request begins.
  [[nodiscard]] std::size_t position() const noexcept { return sizeof header_ + next_; }

 private:
  const Chain* chain_ = nullptr;
  fuse_in_header header_{};
  std::string body_;
  std::size_t next_ = 0;
  bool too_long_ = false;
};

/// The answer: gathered, and written behind its header at the end. READ's data go to the guest directly.
class FsReply {
 public:
  explicit FsReply(const Chain& chain) : chain_(chain) {}

  /// Bytes that fit behind the header.
  [[nodiscard]] std::size_t room() const noexcept {
    return chain_.writable_bytes > sizeof(fuse_out_header) ? chain_.writable_bytes - sizeof(fuse_out_header)
                                                           : 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return body_.size(); }
  void put_bytes(std::string_view bytes) { body_ += bytes; }
  template <class T>
  void put(const T& value) {
    put_bytes({reinterpret_cast<const char*>(&value), sizeof value});
  }
  /// So many bytes stand behind the header already.
  void set_direct(std::size_t bytes) noexcept { direct_ = bytes; }

  /// Writes it, the error alone when there is one; returns the bytes that were written.
  std::uint32_t finish(std::uint64_t unique, FsError error) const noexcept;

 private:
  const Chain& chain_;
  std::string body_;
  std::size_t direct_ = 0;
};

}  // namespace trine::hvm
