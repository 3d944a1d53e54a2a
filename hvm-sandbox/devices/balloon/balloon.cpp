#include "devices/balloon/balloon.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace trine::hvm {
namespace {

// Source: virtio 1.2 §5.5.2, §5.5.3. Queues that a feature brings follow one another: without the one of
// statistics and the one of hints, reports come third.
constexpr unsigned kInflate = 0;
constexpr unsigned kDeflate = 1;
constexpr unsigned kReports = 2;
constexpr std::uint64_t kFeatureReporting = 1U << 5U;

/// Of one chain; Linux sends 256.
constexpr std::size_t kMostPages = 4096;
constexpr std::size_t kBatch = 256;
/// A kernel that has to do with less may not even be able to give memory back to itself.
constexpr std::uint64_t kLeastLeft = 32 << 20;

}  // namespace

std::uint64_t Balloon::features() const noexcept {
  // Not VIRTIO_BALLOON_F_DEFLATE_ON_OOM: what the guest gave is a limit of its workload's, which holds.
  return kFeatureReporting;
}

bool Balloon::set_wanted(std::uint64_t bytes) noexcept {
  if (!active_)
    return false;
  const std::uint64_t most = memory_.size() > kLeastLeft ? memory_.size() - kLeastLeft : 0;
  config_.wanted_pages =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(std::min(bytes, most) / kPageBytes, UINT32_MAX));
  host().config_changed();
  return true;
}

void Balloon::write_config(std::uint64_t offset, std::span<const std::byte> in) noexcept {
  if (offset == offsetof(Config, given_pages) && in.size() == sizeof config_.given_pages)
    std::memcpy(&config_.given_pages, in.data(), in.size());
}

void Balloon::reset() noexcept {
  active_ = false;
  config_ = {};
}

void Balloon::notify(unsigned index) noexcept {
  switch (index) {
    case kInflate:
      serve_all(index, [this](const Chain& chain) { return inflate(chain); });
      break;
    case kDeflate:
      // What it takes back it only has to touch.
      serve_all(index, [](const Chain& /*chain*/) -> std::expected<std::uint32_t, QueueError> { return 0; });
      break;
    case kReports:
      serve_all(index, [this](const Chain& chain) { return take_reports(chain); });
      break;
    default:
      break;
  }
}

std::expected<std::uint32_t, QueueError> Balloon::inflate(const Chain& chain) noexcept {
  if (chain.readable_bytes % sizeof(std::uint32_t) != 0 ||
      chain.readable_bytes > kMostPages * sizeof(std::uint32_t))
    return std::unexpected(QueueError::kRequest);
  std::array<std::uint32_t, kBatch> pages;
  for (std::size_t offset = 0; offset < chain.readable_bytes;) {
    const std::size_t bytes = chain.read(offset, std::as_writable_bytes(std::span(pages)));
    offset += bytes;
    const std::size_t count = bytes / sizeof(std::uint32_t);
    std::sort(pages.begin(), pages.begin() + static_cast<std::ptrdiff_t>(count));
    // Pages that follow one another go in one call.
    for (std::size_t begin = 0; begin < count;) {
      std::size_t end = begin + 1;
      while (end < count && pages[end] - pages[begin] == end - begin)
        ++end;
      const auto slice = memory_.slice(std::uint64_t{pages[begin]} * kPageBytes, (end - begin) * kPageBytes);
      if (!slice)
        return std::unexpected(QueueError::kAddress);
      memory_.give_back(*slice);
      begin = end;
    }
  }
  return 0;
}

std::expected<std::uint32_t, QueueError> Balloon::take_reports(const Chain& chain) noexcept {
  for (const GuestSlice& slice : chain.writable) {
    memory_.give_back(slice);
    reported_ += slice.size();
  }
  return 0;
}

}  // namespace trine::hvm
