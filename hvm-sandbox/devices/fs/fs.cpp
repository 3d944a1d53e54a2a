#include "devices/fs/fs.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "devices/fs/credentials.h"

namespace trine::hvm {

FsBounds make_room_for_shares(std::size_t shares) noexcept {
  constexpr rlim_t kWanted = 1 << 20;  ///< what kernels allow at most, unless told otherwise (fs.nr_open)
  constexpr rlim_t kOthers = 768;      ///< disks, connections, events
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    limit.rlim_cur = limit.rlim_max = 1024;
  rlimit wanted{.rlim_cur = kWanted, .rlim_max = std::max(limit.rlim_max, kWanted)};
  if (limit.rlim_cur < kWanted && ::setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
    wanted = {.rlim_cur = std::min(limit.rlim_max, kWanted), .rlim_max = limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &wanted) != 0)
      wanted.rlim_cur = limit.rlim_cur;
  }
  const rlim_t descriptors = std::max(limit.rlim_cur, wanted.rlim_cur);
  const std::size_t each =
      (descriptors > 2 * kOthers ? descriptors - kOthers : kOthers / 2) / std::max<std::size_t>(shares, 1);
  FsBounds bounds;
  bounds.handles = std::min(bounds.handles, each / 4);
  bounds.inodes = std::min(bounds.inodes, each - bounds.handles);
  return bounds;
}

Fs::Fs(std::string tag, FileServer server, std::mutex& device_lock, std::function<void()> confine)
    : tag_(std::move(tag)), server_(std::move(server)), device_lock_(device_lock) {
  if (tag_.empty() || tag_.size() > kMostTag)
    throw base::Error("a share's tag has 1 to " + std::to_string(kMostTag) + " characters: " + tag_);
  // Source: §5.11.4: the tag, padded with zeroes, then the number of request queues.
  std::memcpy(config_.data(), tag_.data(), tag_.size());
  const std::uint32_t request_queues = kQueues - 1;
  std::memcpy(config_.data() + kMostTag, &request_queues, sizeof request_queues);
  asked_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!asked_)
    base::throw_errno("cannot make an event for share " + tag_);
  thread_ = std::thread([this, confine = std::move(confine)] { work(confine); });
}

Fs::~Fs() {
  {
    const std::scoped_lock lock(lock_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void Fs::notify(unsigned /*queue*/) noexcept {
  wake();
}

void Fs::wake() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(asked_.get(), &one, sizeof one);  // full means: it is awake
}

void Fs::reset() noexcept {
  ++resets_;
  // The guest may use the memory of what it asked for otherwise as soon as this returns.
  std::unique_lock lock(lock_);
  changed_.wait(lock, [this] { return !serving_; });
}

void Fs::work(const std::function<void()>& confine) noexcept {
  become_file_server();
  // A write beyond a limit of the user's is an error, not the monitor's end; the others are the main
  // thread's, but what this one's own reads of memory bring about.
  sigset_t all;
  ::sigfillset(&all);
  ::sigdelset(&all, SIGBUS);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  confine();
  while (wait_for_requests()) {
    while (serve_next()) {
    }
  }
}

bool Fs::wait_for_requests() noexcept {
  std::uint64_t count = 0;
  (void)!::read(asked_.get(), &count, sizeof count);  // EINTR: looks in vain
  const std::scoped_lock lock(lock_);
  return !stopping_;
}

std::optional<unsigned> Fs::take() noexcept {
  for (unsigned index = 0; index < kQueues; ++index) {
    Queue* const queue = host().queue(index);
    if (queue == nullptr)
      continue;
    const auto popped = queue->pop(chain());
    if (!popped) {
      host().fail(popped.error());
      return std::nullopt;
    }
    if (*popped)
      return index;
  }
  return std::nullopt;
}

bool Fs::serve_next() noexcept {
  unsigned resets = 0;
  std::optional<unsigned> index;
  {
    const std::scoped_lock device(device_lock_);
    resets = resets_;
    index = take();
    const std::scoped_lock lock(lock_);
    if (!index || stopping_)
      return false;
    serving_ = true;
  }
  const std::uint32_t written = server_.serve(chain());
  {
    const std::scoped_lock lock(lock_);
    serving_ = false;
  }
  changed_.notify_all();
  const std::scoped_lock device(device_lock_);
  Queue* const queue = host().queue(*index);
  if (resets != resets_ || queue == nullptr)
    return true;
  queue->complete(chain(), written);
  host().interrupt(*queue);
  return true;
}

}  // namespace trine::hvm
