#pragma once

#include <linux/io_uring.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/unique_fd.h"

namespace trine::hvm {

/// Reads, writes and syncs of one file that go on while others are asked for: io_uring without liburing. The
/// ring can do nothing else, and with no other file, whoever gets to write into it. Source: io_uring(7).
///
/// Not more than entries() may be under way at a time.
class DiskRing {
 public:
  struct Done {
    std::uint64_t tag = 0;
    std::int32_t result = 0;  ///< as the system call's; below 0: -errno
  };

  /// Nothing: the kernel has none, or it is forbidden.
  static std::unique_ptr<DiskRing> make(int file, unsigned entries) noexcept;
  DiskRing(const DiskRing&) = delete;
  DiskRing& operator=(const DiskRing&) = delete;
  /// Nothing may be under way.
  ~DiskRing();

  /// Written when something is done.
  [[nodiscard]] int event() const noexcept { return event_.get(); }
  [[nodiscard]] unsigned entries() const noexcept { return entries_; }

  /// Asked for; begun by submit(). `parts` and what they name stay until it is done.
  void read(std::span<const iovec> parts, std::uint64_t offset, std::uint64_t tag) noexcept;
  void write(std::span<const iovec> parts, std::uint64_t offset, std::uint64_t tag) noexcept;
  /// As fdatasync(2).
  void sync(std::uint64_t tag) noexcept;
  void submit() noexcept;

  /// The next that is done; nothing: none yet.
  [[nodiscard]] std::optional<Done> take() noexcept;
  /// Waits until take() has one. Something must be under way.
  void wait() noexcept;

 private:
  DiskRing() = default;
  bool open(int file, unsigned entries) noexcept;
  bool map(const io_uring_params& params) noexcept;
  bool restrict_to(int file) noexcept;
  io_uring_sqe& next_entry(std::uint8_t operation, std::uint64_t tag) noexcept;
  [[nodiscard]] std::uint32_t* word(std::uint32_t offset) const noexcept;

  base::UniqueFd ring_, event_;
  std::byte* rings_ = nullptr;
  std::size_t rings_bytes_ = 0;
  io_uring_sqe* requests_ = nullptr;
  io_uring_params params_{};
  unsigned entries_ = 0;
  unsigned asked_ = 0;  ///< and not submitted
};

}  // namespace trine::hvm
