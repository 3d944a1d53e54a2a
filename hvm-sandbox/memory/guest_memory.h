#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace trine::hvm {

/// A range of guest memory that was checked to exist, whole. The guest may change what is in it at any
/// moment: read a value once, into a variable, and judge that. Nothing here throws or reaches beyond the
/// range.
class GuestSlice {
 public:
  GuestSlice() = default;
  explicit GuestSlice(std::span<std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// For system calls that read or write the memory themselves; never for parsing.
  [[nodiscard]] std::byte* data() const noexcept { return bytes_.data(); }

  /// As much as there is from `offset` on; returns how many bytes were copied.
  std::size_t read(std::size_t offset, std::span<std::byte> out) const noexcept {
    const std::size_t count = clamp(offset, out.size());
    if (count > 0)
      std::memcpy(out.data(), bytes_.data() + offset, count);
    return count;
  }
  std::size_t write(std::size_t offset, std::span<const std::byte> in) const noexcept {
    const std::size_t count = clamp(offset, in.size());
    if (count > 0)
      std::memcpy(bytes_.data() + offset, in.data(), count);
    return count;
  }

  /// A value at `offset`; zero when it is not inside.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T load(std::size_t offset) const noexcept {
    T value{};
    if (clamp(offset, sizeof(T)) == sizeof(T))
      std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void store(std::size_t offset, const T& value) const noexcept {
    if (clamp(offset, sizeof(T)) == sizeof(T))
      std::memcpy(bytes_.data() + offset, &value, sizeof(T));
  }
  /// Ring indices, which the other side's processor reads and writes at the same time. `offset` is even.
  [[nodiscard]] std::uint16_t load_acquire(std::size_t offset) const noexcept {
    if (clamp(offset, 2) != 2)
      return 0;
    return __atomic_load_n(reinterpret_cast<const std::uint16_t*>(bytes_.data() + offset), __ATOMIC_ACQUIRE);
  }
  void store_release(std::size_t offset, std::uint16_t value) const noexcept {
    if (clamp(offset, 2) == 2)
      __atomic_store_n(reinterpret_cast<std::uint16_t*>(bytes_.data() + offset), value, __ATOMIC_RELEASE);
  }

  /// The part from `offset` on, at most `length` bytes.
  [[nodiscard]] GuestSlice part(std::size_t offset, std::size_t length) const noexcept {
    const std::size_t count = clamp(offset, length);
    return GuestSlice(count == 0 ? std::span<std::byte>{} : bytes_.subspan(offset, count));
  }

 private:
  [[nodiscard]] std::size_t clamp(std::size_t offset, std::size_t length) const noexcept {
    if (offset >= bytes_.size())
      return 0;
    return length < bytes_.size() - offset ? length : bytes_.size() - offset;
  }

  std::span<std::byte> bytes_;
};

/// Where a stretch of the guest's memory lies, in the guest and in the monitor's mapping.
struct MemoryRange {
  std::uint64_t guest_address = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
};

/// Memory that the guest reads and nobody writes, somewhere else in the monitor.
struct ReadOnlyRange {
  std::uint64_t guest_address = 0;
  std::uint64_t size = 0;
  std::byte* data = nullptr;  ///< outlives the machine
};

/// A guest's memory: one anonymous mapping, seen by the guest in one or more ranges. The host may back it
/// with huge pages: ranges whose address and offset are multiples of 2 MiB profit.
class GuestMemory {
 public:
  /// `ranges` are page-aligned, in ascending order, and do not overlap. Throws base::Error when the memory
  /// cannot be had.
  explicit GuestMemory(std::vector<MemoryRange> ranges);
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory();

  /// From now on the host may back what is not used yet with huge pages, and gather what is. Ranges whose
  /// address and offset are multiples of 2 MiB profit. What is loaded before that takes only the pages that
  /// it needs.
  void use_huge_pages() const noexcept;

  /// Lets the host keep pages once that other machines have too (KSM). Throws base::Error when its kernel
  /// cannot.
  void merge_pages() const;

  /// Gives the host the whole pages inside `slice`, which are zeros from then on and taken again when the
  /// guest touches them.
  void give_back(const GuestSlice& slice) const noexcept;

  /// The range [address, address + length), if it lies inside one range of memory. An empty range is none.
  [[nodiscard]] std::optional<GuestSlice> slice(std::uint64_t address, std::uint64_t length) const noexcept;

  /// `range` lies behind all others. Only before the guest runs.
  void add_read_only(const ReadOnlyRange& range) { read_only_.push_back(range); }
  [[nodiscard]] const std::vector<ReadOnlyRange>& read_only_ranges() const { return read_only_; }
  /// As slice(), but may lie in a read-only range: it must not be written to.
  [[nodiscard]] std::optional<GuestSlice> readable_slice(std::uint64_t address,
                                                         std::uint64_t length) const noexcept;

  [[nodiscard]] const std::vector<MemoryRange>& ranges() const { return ranges_; }
  [[nodiscard]] std::byte* host_address(const MemoryRange& range) const { return base_ + range.offset; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::vector<MemoryRange> ranges_;
  std::vector<ReadOnlyRange> read_only_;
  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace trine::hvm
