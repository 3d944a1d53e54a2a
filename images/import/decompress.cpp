#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "bytes.h"

namespace trine::images {
namespace {

constexpr std::size_t kInput = 256 << 10;

/// The compressed side: a buffer that begins with the bytes by which the format was told.
class Input {
 public:
  Input(ByteSource& from, std::vector<char> first)
      : from_(from), data_(std::move(first)), end_(data_.size()) {
    data_.resize(kInput);
  }
  [[nodiscard]] std::span<char> rest() { return std::span(data_).subspan(begin_, end_ - begin_); }
  void consume(std::size_t count) { begin_ += count; }
  /// False at the end.
  bool fill() {
    if (begin_ < end_)
      return true;
    begin_ = 0;
    end_ = from_.read(data_);
    return end_ > 0;
  }

 private:
  ByteSource& from_;
  std::vector<char> data_;
  std::size_t begin_ = 0;
  std::size_t end_;
};

class Plain : public ByteSource {
 public:
  explicit Plain(Input input) : input_(std::move(input)) {}
  std::size_t read(std::span<char> into) override {
    if (!input_.fill())
      return 0;
    const auto rest = input_.rest();
    const std::size_t size = std::min(rest.size(), into.size());
    std::memcpy(into.data(), rest.data(), size);
    input_.consume(size);
    return size;
  }

 private:
  Input input_;
};

/// gzip may be a row of members (pigz, estargz): after one ends, another may begin.
class Gzip : public ByteSource {
 public:
  Gzip(Input input, std::string name) : input_(std::move(input)), name_(std::move(name)) { begin_member(); }

  std::size_t read(std::span<char> into) override {
    state_.next_out = reinterpret_cast<std::uint8_t*>(into.data());
    state_.avail_out = static_cast<std::uint32_t>(std::min<std::size_t>(into.size(), 1U << 30));
    const auto room = state_.avail_out;
    while (state_.avail_out == room) {
      if (state_.block_state == ISAL_BLOCK_FINISH) {
        if (!input_.fill())
          return 0;
        // Zeroes after the last member are padding, as gzip(1) has it.
        if (input_.rest().front() == 0) {
          input_.consume(1);
          continue;
        }
        begin_member();
        state_.next_out = reinterpret_cast<std::uint8_t*>(into.data());
        state_.avail_out = room;
      }
      // What is inflated already may still wait in the state when the input is at its end.
      const bool more = input_.fill();
      const auto rest = input_.rest();
      state_.next_in = reinterpret_cast<std::uint8_t*>(rest.data());
      state_.avail_in = static_cast<std::uint32_t>(rest.size());
      const int result = ::isal_inflate(&state_);
      input_.consume(rest.size() - state_.avail_in);
      if (result != ISAL_DECOMP_OK)
        throw base::Error("cannot decompress " + name_ + ": its gzip data is damaged");
      if (!more && state_.avail_out == room && state_.block_state != ISAL_BLOCK_FINISH) {
        throw base::Error("cannot decompress " + name_ + ": its gzip data is truncated");
      }
    }
    return room - state_.avail_out;
  }

 private:
  void begin_member() {
    ::isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  Input input_;
  std::string name_;
  inflate_state state_{};
};

class Zstd : public ByteSource {
 public:
  Zstd(Input input, std::string name)
      : input_(std::move(input)), name_(std::move(name)), stream_(::ZSTD_createDStream()) {
    // A frame may ask for a window of any size; this is what `zstd` itself takes without being told.
    if (stream_ != nullptr)
      ::ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~Zstd() override { ::ZSTD_freeDStream(stream_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  std::size_t read(std::span<char> into) override {
    ZSTD_outBuffer out{.dst = into.data(), .size = into.size(), .pos = 0};
    while (out.pos == 0) {
      const bool more = input_.fill();
      if (!more && at_end_)
        return 0;
      const auto rest = input_.rest();
      ZSTD_inBuffer in{.src = rest.data(), .size = rest.size(), .pos = 0};
      const std::size_t result = ::ZSTD_decompressStream(stream_, &out, &in);
      input_.consume(in.pos);
      if (::ZSTD_isError(result) != 0U) {
        throw base::Error("cannot decompress " + name_ + ": " + ::ZSTD_getErrorName(result));
      }
      at_end_ = result == 0;
      if (!more && out.pos == 0 && !at_end_) {
        throw base::Error("cannot decompress " + name_ + ": its zstd data is truncated");
      }
    }
    return out.pos;
  }

 private:
  Input input_;
  std::string name_;
  ZSTD_DStream* stream_;
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> decompress(ByteSource& from, const std::string& name) {
  std::vector<char> first(4);
  std::size_t have = 0;
  while (have < first.size()) {
    const std::size_t got = from.read(std::span(first).subspan(have));
    if (got == 0)
      break;
    have += got;
  }
  first.resize(have);
  const auto begins = [&](std::string_view magic) {
    return first.size() >= magic.size() && std::memcmp(first.data(), magic.data(), magic.size()) == 0;
  };
  const bool gzip = begins("\x1f\x8b");
  const bool zstd = begins("\x28\xb5\x2f\xfd");
  Input input(from, std::move(first));
  if (gzip)
    return std::make_unique<Gzip>(std::move(input), name);
  if (zstd)
    return std::make_unique<Zstd>(std::move(input), name);
  return std::make_unique<Plain>(std::move(input));
}

}  // namespace trine::images
