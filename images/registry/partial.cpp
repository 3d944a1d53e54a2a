#include "partial.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "layout.h"

namespace trine::images {

struct Partial::Header {
  static constexpr std::uint64_t kMagic = 0x31'70'61'6d'65'6e'69'72;  // changes with the format
  std::uint64_t magic;
  std::uint64_t size;
  std::uint64_t chunk;
};

Partial::Partial(const std::string& directory, const std::string& digest, std::uint64_t size)
    : path_(directory + "/" + digest_hex(digest)),
      size_(size),
      chunks_((size + kChunk - 1) / kChunk),
      map_size_(sizeof(Header) + chunks_ * sizeof(std::uint64_t)) {
  if (size > kMaxSize)
    throw base::Error("the blob " + digest + " is said to have " + std::to_string(size) +
                      " bytes: that is no layer");
  data_ = base::open_file(path_, O_RDWR | O_CREAT, 0600);
  const base::UniqueFd map = base::open_file(path_ + ".map", O_RDWR | O_CREAT, 0600);
  struct stat status{};
  if (::fstat(map.get(), &status) != 0)
    base::throw_errno("cannot read " + path_ + ".map");
  const bool fits = status.st_size == static_cast<off_t>(map_size_);
  if (!fits && ::ftruncate(map.get(), 0) != 0)
    base::throw_errno("cannot write " + path_ + ".map");
  // Its blocks must be there: a full disk would be a SIGBUS later.
  if (const int error = ::posix_fallocate(map.get(), 0, static_cast<off_t>(map_size_)); error != 0)
    throw base::Error("cannot write " + path_ + ".map", error);
  map_ = ::mmap(nullptr, map_size_, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (map_ == MAP_FAILED) {
    map_ = nullptr;
    base::throw_errno("cannot map " + path_ + ".map");
  }
  auto& header = *static_cast<Header*>(map_);
  if (::fstat(data_.get(), &status) != 0)
    base::throw_errno("cannot read " + path_);
  bool sound = header.magic == Header::kMagic && header.size == size_ && header.chunk == kChunk;
  for (std::size_t i = 0; sound && i < chunks_; ++i) {
    const std::uint64_t have = done(i);
    sound = have <= chunk_size(i) && (have == 0 || static_cast<off_t>(i * kChunk + have) <= status.st_size);
  }
  if (sound)
    return;
  reset();
  header = {.magic = Header::kMagic, .size = size_, .chunk = kChunk};
}

Partial::~Partial() {
  if (map_ != nullptr)
    ::munmap(map_, map_size_);
}

std::uint64_t* Partial::counters() const {
  return reinterpret_cast<std::uint64_t*>(static_cast<Header*>(map_) + 1);
}

std::uint64_t Partial::chunk_size(std::size_t chunk) const {
  return std::min(kChunk, size_ - chunk * kChunk);
}

std::uint64_t Partial::done(std::size_t chunk) const {
  return std::atomic_ref(counters()[chunk]).load(std::memory_order_acquire);
}

std::uint64_t Partial::done() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < chunks_; ++i)
    sum += done(i);
  return sum;
}

std::uint64_t Partial::contiguous() const {
  std::size_t chunk = 0;
  while (chunk < chunks_ && done(chunk) == chunk_size(chunk))
    ++chunk;
  return chunk == chunks_ ? size_ : chunk * kChunk + done(chunk);
}

void Partial::append(std::size_t chunk, std::span<const char> bytes) {
  std::uint64_t have = done(chunk);
  if (bytes.size() > chunk_size(chunk) - have)
    throw base::Error("more bytes come than the " + std::to_string(size_) + " that the manifest gives");
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(data_.get(), bytes.data(), bytes.size(), static_cast<off_t>(chunk * kChunk + have));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      base::throw_errno("cannot write " + path_,
                        errno == ENOSPC ? "make room and pull again: what has come is kept" : "");
    have += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    std::atomic_ref(counters()[chunk]).store(have, std::memory_order_release);
  }
}

void Partial::reset() {
  for (std::size_t i = 0; i < chunks_; ++i)
    std::atomic_ref(counters()[i]).store(0, std::memory_order_release);
}

void Partial::remove() {
  ::unlink((path_ + ".map").c_str());
  ::unlink(path_.c_str());
}

void Partial::remove(const std::string& directory, const std::string& digest) {
  const std::string path = directory + "/" + digest_hex(digest);
  ::unlink((path + ".map").c_str());
  ::unlink(path.c_str());
}

}  // namespace trine::images
