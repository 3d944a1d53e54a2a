#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "document.h"
#include "file_lock.h"
#include "partial.h"
#include "source.h"

namespace trine::images {

/// One layer's blob on its way from a registry into the store's directory of partial files. The downloader's
/// thread fills it; one other thread reads it as a LayerStream.
class Fetch : public LayerStream {
 public:
  enum class State {
    kElsewhere,  ///< another process has its lock
    kRunning,
    kFetched,
    kStored,
  };

  Fetch(Descriptor blob, std::string store) : blob_(std::move(blob)), store_(std::move(store)) {}

  void wait() override;
  std::unique_ptr<ByteSource> open() override;
  void stored() override;

  /// Takes the digest's lock and opens the partial file; false while another process has the lock.
  bool begin(const std::function<bool()>& is_stored);
  void append(std::size_t chunk, std::span<const char> bytes);
  void restart();
  void fail(std::exception_ptr why);
  /// Whether all bytes are there; gives up the lock then.
  bool finish();

  [[nodiscard]] const Descriptor& blob() const { return blob_; }
  [[nodiscard]] State state() const;
  [[nodiscard]] std::uint64_t done() const;
  [[nodiscard]] Partial& partial() { return *partial_; }
  /// Bytes that an earlier process had brought.
  [[nodiscard]] std::uint64_t resumed() const { return resumed_; }

 private:
  class Reader;

  Descriptor blob_;
  std::string store_;
  std::uint64_t resumed_ = 0;
  std::optional<FileLock> lock_;
  std::unique_ptr<Partial> partial_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kElsewhere;
  std::exception_ptr failure_;
};

}  // namespace trine::images
