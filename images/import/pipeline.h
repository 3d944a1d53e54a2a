#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "bytes.h"
#include "hash.h"

namespace trine::images {

/// Reads a source on a thread of its own, a few buffers ahead: one core decompresses while another writes
/// files.
class Pipeline : public ByteSource {
 public:
  /// `at_end` is called on that thread once the source is at its end; what it throws reaches the reader.
  Pipeline(ByteSource& from, std::function<void()> at_end);
  ~Pipeline() override;
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  std::size_t read(std::span<char> into) override;

 private:
  static constexpr std::size_t kBuffer = 1 << 20;
  static constexpr std::size_t kAhead = 8;
  void run();

  ByteSource& from_;
  std::function<void()> at_end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::vector<char>> full_;
  std::vector<std::vector<char>> empty_;
  bool stop_ = false;
  bool done_ = false;
  std::exception_ptr failure_;
  std::vector<char> current_;
  std::size_t used_ = 0;
  std::thread thread_;  // last: it uses what stands above
};

/// Passes on another stream and hashes it.
class HashedSource : public ByteSource {
 public:
  HashedSource(ByteSource& from, Hash& hash) : from_(from), hash_(hash) {}
  std::size_t read(std::span<char> into) override {
    const std::size_t got = from_.read(into);
    hash_.update(into.first(got));
    return got;
  }
  /// Reads to the end: a digest is of all bytes, those behind the archive's end included.
  void finish() {
    std::vector<char> rest(1 << 16);
    while (read(rest) > 0) {
    }
  }

 private:
  ByteSource& from_;
  Hash& hash_;
};

}  // namespace trine::images
