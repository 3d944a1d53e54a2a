#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/unique_fd.h"

namespace trine::hvm {

/// What the vCPUs' threads pass on their way into the guest: while it is closed, they wait there.
class Gate {
 public:
  /// For so many threads. Throws base::Error.
  explicit Gate(unsigned threads);

  /// Closes it; all_waiting() tells when nobody is beyond it any more.
  void close() noexcept;
  /// Lets all pass, until it is closed again.
  void open() noexcept;
  /// Lets all pass from now on, whatever follows: the machine ends.
  void open_for_good() noexcept;

  [[nodiscard]] bool is_closed() const noexcept { return closed_; }
  /// A thread that found it closed: waits until it may pass.
  void wait() noexcept;

  /// An eventfd, written when it is closed and all threads wait before it.
  [[nodiscard]] int all_waiting() const noexcept { return all_waiting_.get(); }

 private:
  void tell_if_all() noexcept;

  unsigned threads_;
  base::UniqueFd all_waiting_;
  std::mutex lock_;
  std::condition_variable opened_;
  unsigned waiting_ = 0;
  bool for_good_ = false;
  std::atomic<bool> closed_ = false;
};

}  // namespace trine::hvm
