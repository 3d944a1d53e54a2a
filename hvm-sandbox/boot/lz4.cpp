#include "boot/lz4.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace trine::hvm {
namespace {

constexpr std::uint32_t kLegacyMagic = 0x184c2102;
constexpr std::size_t kBlockBytes = 8 << 20;  ///< of every block but the last, unpacked
constexpr std::size_t kLeastMatch = 4;

/// Reads a block, never beyond its end.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  std::optional<std::span<const std::byte>> take(std::size_t count) {
    if (count > bytes_.size())
      return std::nullopt;
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  std::optional<std::size_t> byte() {
    const auto one = take(1);
    if (!one)
      return std::nullopt;
    return static_cast<std::size_t>(one->front());
  }
  /// A length that goes on in further bytes when its four bits are all set.
  std::optional<std::size_t> length(std::size_t bits) {
    std::size_t total = bits;
    if (bits != 15)
      return total;
    while (true) {
      const auto more = byte();
      if (!more)
        return std::nullopt;
      total += *more;
      if (*more != 255)
        return total;
    }
  }

 private:
  std::span<const std::byte> bytes_;
};

/// Unpacks one block to the front of `out`; how many bytes it gave, or nothing when it is damaged.
std::optional<std::size_t> unpack_block(std::span<const std::byte> block, std::span<std::byte> out) {
  Reader reader(block);
  std::size_t done = 0;
  while (!reader.at_end()) {
    const auto token = reader.byte();
    const auto literals = reader.length(*token >> 4U);
    if (!literals)
      return std::nullopt;
    const auto text = reader.take(*literals);
    if (!text || text->size() > out.size() - done)
      return std::nullopt;
    std::memcpy(out.data() + done, text->data(), text->size());
    done += text->size();
    if (reader.at_end())
      return done;  // the last sequence has no match
    const auto low = reader.byte();
    const auto high = reader.byte();
    if (!low || !high)
      return std::nullopt;
    const std::size_t distance = *low | (*high << 8U);
    const auto extra = reader.length(*token & 15U);
    if (!extra || distance == 0 || distance > done || *extra + kLeastMatch > out.size() - done)
      return std::nullopt;
    // Byte by byte: a match may overlap what it makes.
    for (std::size_t left = *extra + kLeastMatch; left > 0; --left, ++done)
      out[done] = out[done - distance];
  }
  return done;
}

std::optional<std::uint32_t> take_number(Reader& reader) {
  const auto bytes = reader.take(4);
  if (!bytes)
    return std::nullopt;
  std::uint32_t number = 0;
  std::memcpy(&number, bytes->data(), sizeof number);
  return number;
}

}  // namespace

bool unpack_lz4(std::span<const std::byte> packed, std::span<std::byte> out) noexcept {
  Reader reader(packed);
  if (take_number(reader) != kLegacyMagic)
    return false;
  std::size_t done = 0;
  while (done < out.size()) {
    const auto size = take_number(reader);
    if (!size)
      return false;
    const auto block = reader.take(*size);
    if (!block)
      return false;
    const auto room = out.subspan(done);
    const auto made = unpack_block(*block, room.first(room.size() < kBlockBytes ? room.size() : kBlockBytes));
    if (!made || *made == 0)
      return false;
    done += *made;
  }
  return true;
}

}  // namespace trine::hvm
