#include "fetch.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "layout.h"

namespace trine::images {

/// Reads behind the writer, never past it.
class Fetch::Reader : public ByteSource {
 public:
  explicit Reader(Fetch& fetch) : fetch_(fetch) {}
  std::size_t read(std::span<char> into) override {
    const std::uint64_t size = fetch_.partial_->size();
    if (place_ == size)
      return 0;
    std::uint64_t there = 0;
    {
      std::unique_lock lock(fetch_.mutex_);
      fetch_.changed_.wait(lock, [&] {
        there = fetch_.partial_->contiguous();
        return there > place_ || fetch_.failure_ != nullptr;
      });
      if (there <= place_)
        std::rethrow_exception(fetch_.failure_);
    }
    const std::size_t want = std::min<std::uint64_t>(into.size(), there - place_);
    const ssize_t got = ::pread(fetch_.partial_->fd(), into.data(), want, static_cast<off_t>(place_));
    if (got <= 0)
      throw base::Error("cannot read the partial file of " + fetch_.blob_.digest, got < 0 ? errno : 0);
    place_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }

 private:
  Fetch& fetch_;
  std::uint64_t place_ = 0;
};

void Fetch::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ != State::kElsewhere || failure_ != nullptr; });
}

std::unique_ptr<ByteSource> Fetch::open() {
  wait();
  const std::lock_guard guard(mutex_);
  if (partial_ != nullptr)
    return std::make_unique<Reader>(*this);
  if (failure_ != nullptr)
    std::rethrow_exception(failure_);
  throw base::Error("the layer of the blob " + blob_.digest + " has gone from the store meanwhile");
}

void Fetch::stored() {
  const std::lock_guard guard(mutex_);
  state_ = State::kStored;
  // Whoever fetches it still, in another process, has the files open.
  if (partial_ != nullptr)
    partial_->remove();
}

bool Fetch::begin(const std::function<bool()>& is_stored) {
  auto lock = FileLock::try_take(store_ + "/locks/" + digest_hex(blob_.digest) + ".blob");
  if (!lock)
    return false;
  const bool stored = is_stored();
  std::unique_ptr<Partial> partial;
  if (!stored)
    partial = std::make_unique<Partial>(store_ + "/partial", blob_.digest, blob_.size);
  const std::lock_guard guard(mutex_);
  state_ = stored ? State::kStored : State::kRunning;
  if (!stored) {
    lock_.emplace(std::move(*lock));
    partial_ = std::move(partial);
    resumed_ = partial_->done();
  }
  changed_.notify_all();
  return true;
}

void Fetch::append(std::size_t chunk, std::span<const char> bytes) {
  partial_->append(chunk, bytes);
  const std::lock_guard guard(mutex_);
  changed_.notify_all();
}

void Fetch::restart() {
  const std::lock_guard guard(mutex_);
  partial_->reset();
}

void Fetch::fail(std::exception_ptr why) {
  const std::lock_guard guard(mutex_);
  failure_ = std::move(why);
  changed_.notify_all();
}

bool Fetch::finish() {
  if (!partial_->complete())
    return false;
  const std::lock_guard guard(mutex_);
  if (state_ == State::kRunning)
    state_ = State::kFetched;
  lock_.reset();
  changed_.notify_all();
  return true;
}

Fetch::State Fetch::state() const {
  const std::lock_guard guard(mutex_);
  return state_;
}

std::uint64_t Fetch::done() const {
  const std::lock_guard guard(mutex_);
  if (state_ == State::kStored)
    return blob_.size;
  return partial_ == nullptr ? 0 : partial_->done();
}

}  // namespace trine::images
