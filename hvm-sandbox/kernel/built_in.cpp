#include "kernel/built_in.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "boot/decompress.h"

namespace trine::hvm {
namespace {

constexpr std::string_view kBanner = "Linux version ";
constexpr std::string_view kConfigBegin = "IKCFG_ST";
constexpr std::string_view kConfigEnd = "IKCFG_ED";
constexpr std::size_t kMostRelease = 64;  ///< __NEW_UTS_LEN
constexpr std::size_t kMostConfigBytes = 4 << 20;
constexpr std::size_t kGzipLeast = 18;

std::string_view text_of(std::span<const std::byte> kernel) {
  return {reinterpret_cast<const char*>(kernel.data()), kernel.size()};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_fit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(".+-_~").contains(c);
}

}  // namespace

std::expected<std::string, std::string> kernel_release(std::span<const std::byte> kernel) {
  const std::string_view text = text_of(kernel);
  for (std::size_t at = text.find(kBanner); at != std::string_view::npos; at = text.find(kBanner, at + 1)) {
    const std::string_view rest = text.substr(at + kBanner.size(), kMostRelease + 1);
    const std::string_view release = rest.substr(0, rest.find(' '));
    // Other texts of the kernel begin like this; a release begins with a number and ends with a space.
    if (!release.empty() && release.size() < rest.size() && is_digit(release.front()) &&
        std::ranges::all_of(release, is_fit))
      return std::string(release);
  }
  return std::unexpected("it does not say which version of Linux it is");
}

std::expected<std::string, std::string> embedded_config(std::span<const std::byte> kernel) {
  const std::string_view text = text_of(kernel);
  const std::size_t begin = text.find(kConfigBegin);
  if (begin == std::string_view::npos)
    return std::unexpected("its configuration is not in it (CONFIG_IKCONFIG=y)");
  const std::size_t first = begin + kConfigBegin.size();
  const std::size_t end = text.find(kConfigEnd, first);
  if (end == std::string_view::npos || end - first < kGzipLeast)
    return std::unexpected("its configuration is cut short");
  const auto packed = kernel.subspan(first, end - first);
  std::uint32_t size = 0;  // what gzip ends with
  std::memcpy(&size, packed.data() + packed.size() - sizeof size, sizeof size);
  if (size > kMostConfigBytes)
    return std::unexpected("its configuration says that it has " + std::to_string(size >> 20U) + " MiB");
  const auto config = decompress(packed, size);
  if (!config)
    return std::unexpected("its configuration is damaged");
  return std::string(text_of(*config));
}

std::vector<std::string> not_built_in(std::string_view config, std::span<const std::string_view> wanted) {
  const std::string lines = "\n" + std::string(config) + "\n";
  std::vector<std::string> missing;
  for (const std::string_view option : wanted) {
    if (!lines.contains("\nCONFIG_" + std::string(option) + "=y\n"))
      missing.emplace_back(option);
  }
  return missing;
}

}  // namespace trine::hvm
