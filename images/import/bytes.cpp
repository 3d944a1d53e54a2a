#include "bytes.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "hash.h"

namespace trine::images {

std::size_t FileRange::read(std::span<char> into) {
  const std::size_t want = std::min<std::uint64_t>(into.size(), left_);
  if (want == 0)
    return 0;
  ssize_t got = 0;
  do {
    got = ::pread(fd_, into.data(), want, static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    base::throw_errno("cannot read " + name_);
  if (got == 0)
    throw base::Error(name_ + " ends " + std::to_string(left_) + " bytes too early: it is truncated");
  offset_ += static_cast<std::uint64_t>(got);
  left_ -= static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

struct VerifiedSource::State {
  explicit State(const std::string& digest) : hash(digest.substr(0, digest.find(':'))) {}
  Hash hash;
};

VerifiedSource::VerifiedSource(ByteSource& from, std::string digest, std::uint64_t size)
    : from_(from), digest_(std::move(digest)), size_(size), state_(std::make_unique<State>(digest_)) {}

VerifiedSource::~VerifiedSource() = default;

std::size_t VerifiedSource::read(std::span<char> into) {
  if (done_)
    return 0;
  const std::size_t got = from_.read(into);
  seen_ += got;
  if (seen_ > size_ || (got == 0 && seen_ != size_)) {
    throw DamagedBlob(
        digest_, "has another size than the " + std::to_string(size_) + " bytes that its manifest gives");
  }
  if (got > 0) {
    state_->hash.update(into.first(got));
    return got;
  }
  done_ = true;
  if (const std::string actual = state_->hash.finish(); actual != digest_) {
    throw DamagedBlob(digest_, "does not match its digest: what is there has " + actual);
  }
  return 0;
}

void VerifiedSource::finish() {
  std::array<char, 65536> rest{};
  while (read(rest) > 0) {
  }
}

std::string read_to_end(ByteSource& from, std::size_t limit, const std::string& name) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (const std::size_t got = from.read(buffer)) {
    text.append(buffer.data(), got);
    if (text.size() > limit)
      throw base::Error(name + " is larger than " + std::to_string(limit) + " bytes");
  }
  return text;
}

}  // namespace trine::images
