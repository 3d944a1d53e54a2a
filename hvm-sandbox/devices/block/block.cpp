#include "devices/block/block.h"

#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "memory/io_vector.h"

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §5.2.3, §5.2.4, §5.2.6.
constexpr std::uint64_t kFeatureSegmentMost = 1U << 2U;
constexpr std::uint64_t kFeatureReadOnly = 1U << 5U;
constexpr std::uint64_t kFeatureFlush = 1U << 9U;
constexpr std::uint32_t kSegmentsMost = 126;  ///< of a request, beside its header and status
constexpr std::size_t kSegmentsMostOffset = 12;

enum RequestType : std::uint32_t { kIn = 0, kOut = 1, kFlush = 4, kGetId = 8 };
enum Status : std::uint8_t { kOk = 0, kIoError = 1, kUnsupported = 2 };

struct RequestHeader {
  std::uint32_t type;
  std::uint32_t reserved;
  std::uint64_t sector;
};

constexpr std::size_t kIdentityBytes = 20;
constexpr unsigned kMostUnderWay = 128;
constexpr unsigned kMostAtOnce = 32;  ///< a vCPU has its guest to run

}  // namespace

Block::Block(base::UniqueFd file, bool read_only, std::string identity)
    : file_(std::move(file)), read_only_(read_only), identity_(std::move(identity)) {
  const off_t end = ::lseek(file_.get(), 0, SEEK_END);
  if (end < 0)
    base::throw_errno("cannot tell the size of disk " + identity_);
  sectors_ = static_cast<std::uint64_t>(end) / kSectorBytes;
  std::memcpy(config_.data(), &sectors_, sizeof sectors_);
  std::memcpy(config_.data() + kSegmentsMostOffset, &kSegmentsMost, sizeof kSegmentsMost);
}

Block::~Block() {
  Block::reset();
  if (ring_)
    loop_->unwatch(ring_->event());
}

void Block::serve_beside(EventLoop& loop) {
  auto ring = DiskRing::make(file_.get(), kMostUnderWay);
  if (!ring || !loop.watch(ring->event(), EPOLLIN, [this](std::uint32_t /*events*/) { on_done(); }))
    return;
  loop_ = &loop;
  ring_ = std::move(ring);
}

void Block::limit(EventLoop& loop, const RateLimits& limits) {
  throttle_.limit(loop, limits, "disk " + identity_, [this] { serve(); });
}

std::uint64_t Block::features() const noexcept {
  return kFeatureIndirect | kFeatureEventIndex | kFeatureSegmentMost | kFeatureFlush |
         (read_only_ ? kFeatureReadOnly : 0);
}

void Block::notify(unsigned /*index*/) noexcept {
  serve();
}

void Block::notify_at_once(unsigned /*index*/) noexcept {
  at_once_ = true;
  serve();
  at_once_ = false;
}

void Block::serve() noexcept {
  Queue* const queue = host().queue(0);
  if (queue == nullptr)
    return;
  const bool any = begin_all(*queue);
  if (ring_)
    ring_->submit();
  if (any)
    host().interrupt(*queue);
}

bool Block::begin_all(Queue& queue) noexcept {
  bool any = false;
  // At most one ring's worth, so that a driver that always adds cannot keep the others waiting.
  for (unsigned left = at_once_ ? kMostAtOnce : queue.size();; --left) {
    if (left == 0) {
      host().serve_again(0);
      break;
    }
    Request* const request = free_request();
    if (request == nullptr)
      break;  // on_done() goes on
    const auto popped = queue.pop(request->chain);
    if (!popped) {
      host().fail(popped.error());
      break;
    }
    if (!*popped)
      break;
    if (const auto parsed = parse(*request); !parsed) {
      host().fail(parsed.error());
      break;
    }
    const Begun begun = begin(*request);
    if (begun == Begun::kLater) {
      queue.unpop();
      break;
    }
    if (begun == Begun::kDone) {
      finish(queue, *request);
      any = true;
    }
  }
  return any;
}

Block::Request* Block::free_request() noexcept {
  if (requests_.empty())
    requests_.resize(ring_ ? ring_->entries() : 1);
  const auto found =
      std::ranges::find_if(requests_, [](const Request& request) { return !request.is_under_way; });
  return found == requests_.end() ? nullptr : &*found;
}

bool Block::is_inside(std::uint64_t sector, std::size_t length) const noexcept {
  return length % kSectorBytes == 0 && sector <= sectors_ && length / kSectorBytes <= sectors_ - sector;
}

std::expected<void, QueueError> Block::parse(Request& request) const noexcept {
  const Chain& chain = request.chain;
  RequestHeader header{};
  if (chain.read(0, std::as_writable_bytes(std::span(&header, 1))) != sizeof header ||
      chain.writable_bytes == 0)
    return std::unexpected(QueueError::kRequest);
  // The last byte to write is the status; what stands before it is for data.
  const std::size_t room = chain.writable_bytes - 1;
  const std::size_t given = chain.readable_bytes - sizeof header;
  request.type = header.type;
  request.status = kOk;
  request.filled = 0;
  request.parts.clear();
  request.first_part = 0;
  if (header.type != kIn && header.type != kOut)
    return {};
  const bool is_read = header.type == kIn;
  const std::size_t length = is_read ? room : given;
  if (!is_inside(header.sector, length) || (!is_read && read_only_)) {
    request.status = kIoError;
    return {};
  }
  request.offset = header.sector * kSectorBytes;
  request.filled = is_read ? static_cast<std::uint32_t>(length) : 0;
  append_io_vector(is_read ? chain.writable : chain.readable, is_read ? 0 : sizeof header, length,
                   request.parts);
  return {};
}

/// Whether the limits let it; else it begins when they do.
bool Block::may_begin(const Request& request) noexcept {
  if (!throttle_.is_limited())
    return true;
  std::uint64_t bytes = 0;
  for (const iovec& part : request.parts)
    bytes += part.iov_len;
  if (!throttle_.may_do(bytes))
    return false;
  throttle_.done(bytes);
  return true;
}

Block::Begun Block::begin(Request& request) noexcept {
  if (request.status != kOk)
    return Begun::kDone;
  switch (request.type) {
    case kIn:
    case kOut:
      return may_begin(request) ? transfer(request) : Begun::kLater;
    case kFlush:
      if (read_only_)
        return Begun::kDone;
      if (writes_under_way_ > 0)
        return Begun::kLater;  // what it is to make last is not written yet
      return transfer(request);
    case kGetId: {
      std::array<std::byte, kIdentityBytes> identity{};
      std::memcpy(identity.data(), identity_.data(), std::min(identity_.size(), identity.size()));
      const std::size_t room = std::min(request.chain.writable_bytes - 1, identity.size());
      request.filled = static_cast<std::uint32_t>(request.chain.write(0, std::span(identity).first(room)));
      return Begun::kDone;
    }
    default:
      request.status = kUnsupported;
      return Begun::kDone;
  }
}

ssize_t Block::try_transfer(const Request& request) const noexcept {
  const iovec* const parts = request.parts.data() + request.first_part;
  const auto count =
      static_cast<int>(std::min<std::size_t>(request.parts.size() - request.first_part, IOV_MAX));
  const auto offset = static_cast<off_t>(request.offset);
  const bool may_wait = !ring_ && !at_once_;
  if (request.type == kIn)
    return may_wait ? ::preadv(file_.get(), parts, count, offset)
                    : ::preadv2(file_.get(), parts, count, offset, RWF_NOWAIT);
  if (may_wait)
    return request.type == kOut ? ::pwritev(file_.get(), parts, count, offset) : ::fdatasync(file_.get());
  errno = EAGAIN;
  return -1;
}

/// At once as far as it does not wait for the disk; the rest by the ring, when there is one.
Block::Begun Block::transfer(Request& request) noexcept {
  bool is_done = request.type != kFlush && request.parts.empty();
  while (!is_done) {
    const ssize_t result = try_transfer(request);
    // A file system that cannot tell whether it would wait, and a short read, are the ring's to settle.
    if ((ring_ || at_once_) && (result == 0 || (result < 0 && (errno == EAGAIN || errno == EOPNOTSUPP))))
      break;
    is_done = advance(request, result < 0 ? -errno : result);
  }
  if (is_done)
    return Begun::kDone;
  // The loop begins anew: it may wait, or gathers for the ring what comes while others are under way.
  if (at_once_ && (!ring_ || under_way_ > 0)) {
    host().serve_again(0);
    return Begun::kLater;
  }
  request.is_under_way = true;
  ++under_way_;
  writes_under_way_ += request.type == kOut ? 1 : 0;
  ask_ring(request);
  return Begun::kUnderWay;
}

void Block::ask_ring(const Request& request) noexcept {
  const auto tag = static_cast<std::uint64_t>(&request - requests_.data());
  const auto rest = std::span(request.parts).subspan(request.first_part);
  const auto parts = rest.first(std::min<std::size_t>(rest.size(), IOV_MAX));
  if (request.type == kIn)
    ring_->read(parts, request.offset, tag);
  else if (request.type == kOut)
    ring_->write(parts, request.offset, tag);
  else
    ring_->sync(tag);
}

bool Block::advance(Request& request, std::int64_t result) noexcept {
  if (result == -EINTR || result == -EAGAIN)
    return false;
  if (result < 0 || (result == 0 && request.type != kFlush)) {
    fail(request, static_cast<int>(-result));
    return true;
  }
  request.offset += static_cast<std::uint64_t>(result);
  for (auto left = static_cast<std::size_t>(result); left > 0;) {
    iovec& part = request.parts[request.first_part];
    const std::size_t taken = std::min(left, part.iov_len);
    part.iov_base = static_cast<std::byte*>(part.iov_base) + taken;
    part.iov_len -= taken;
    left -= taken;
    if (part.iov_len == 0)
      ++request.first_part;
  }
  return request.first_part == request.parts.size();
}

/// The guest is told, and goes on; the host's user once.
void Block::fail(Request& request, int error) noexcept {
  request.status = kIoError;
  request.filled = 0;
  if (std::exchange(has_failed_, true))
    return;
  const char* const what = request.type == kIn ? "read" : request.type == kOut ? "written" : "flushed";
  base::print_warning(name() + " cannot be " + what + ": " +
                      (error == 0 ? "its file is shorter than it was" : std::strerror(error)) +
                      "; the guest gets errors from it");
}

void Block::finish(Queue& queue, Request& request) noexcept {
  request.chain.write(request.chain.writable_bytes - 1, std::as_bytes(std::span(&request.status, 1)));
  queue.complete(request.chain, request.filled + 1);
}

void Block::on_done() noexcept {
  std::uint64_t count = 0;
  (void)!::read(ring_->event(), &count, sizeof count);
  Queue* const queue = host().queue(0);  // none: the guest broke a rule meanwhile
  bool any = false;
  while (const auto done = ring_->take()) {
    Request& request = requests_[done->tag];
    if (!advance(request, done->result)) {
      ask_ring(request);
      continue;
    }
    request.is_under_way = false;
    --under_way_;
    writes_under_way_ -= request.type == kOut ? 1 : 0;
    if (queue == nullptr)
      continue;
    finish(*queue, request);
    any = true;
  }
  ring_->submit();
  if (any)
    host().interrupt(*queue);
  serve();  // what waited for room, or for the last write
}

void Block::reset() noexcept {
  while (under_way_ > 0) {
    const auto done = ring_->take();
    if (!done) {
      ring_->wait();
      continue;
    }
    requests_[done->tag].is_under_way = false;
    --under_way_;
  }
  writes_under_way_ = 0;
}

}  // namespace trine::hvm
