#include "pipeline.h"

#include <algorithm>
#include <cstring>

namespace trine::images {

Pipeline::Pipeline(ByteSource& from, std::function<void()> at_end)
    : from_(from), at_end_(std::move(at_end)), thread_([this] { run(); }) {}

Pipeline::~Pipeline() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Pipeline::run() {
  try {
    for (;;) {
      std::vector<char> buffer;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || full_.size() < kAhead; });
        if (stop_)
          return;
        if (!empty_.empty()) {
          buffer = std::move(empty_.back());
          empty_.pop_back();
        }
      }
      buffer.resize(kBuffer);
      std::size_t have = 0;
      while (have < kBuffer) {
        const std::size_t got = from_.read(std::span(buffer).subspan(have));
        if (got == 0)
          break;
        have += got;
      }
      const bool end = have < kBuffer;
      buffer.resize(have);
      if (end)
        at_end_();
      const std::lock_guard lock(mutex_);
      if (have > 0)
        full_.push(std::move(buffer));
      done_ = end;
      changed_.notify_all();
      if (end)
        return;
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    done_ = true;
    changed_.notify_all();
  }
}

std::size_t Pipeline::read(std::span<char> into) {
  if (used_ == current_.size()) {
    std::unique_lock lock(mutex_);
    if (current_.capacity() > 0)
      empty_.push_back(std::move(current_));
    current_ = {};
    used_ = 0;
    changed_.wait(lock, [this] { return done_ || !full_.empty(); });
    if (full_.empty()) {
      if (failure_)
        std::rethrow_exception(failure_);
      return 0;
    }
    current_ = std::move(full_.front());
    full_.pop();
    changed_.notify_all();
  }
  const std::size_t size = std::min(into.size(), current_.size() - used_);
  std::memcpy(into.data(), current_.data() + used_, size);
  used_ += size;
  return size;
}

}  // namespace trine::images
