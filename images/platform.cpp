#include "images/platform.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"

namespace trine::images {
namespace {

struct Alias {
  std::string_view name;
  std::string_view architecture;
  std::string_view variant;
};
constexpr std::array kAliases{
    Alias{"x86_64", "amd64", ""}, Alias{"x86-64", "amd64", ""}, Alias{"aarch64", "arm64", ""},
    Alias{"armhf", "arm", "v7"},  Alias{"armel", "arm", "v6"},  Alias{"i386", "386", ""},
};

}  // namespace

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

Platform parse_platform(std::string_view text) {
  const auto parts = base::split(text, '/');
  constexpr std::size_t kMaxParts = 3;
  const bool words = std::ranges::all_of(parts, [](const std::string& part) {
    return !part.empty() &&
           part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string::npos;
  });
  if (!words || parts.size() > kMaxParts)
    throw base::Error("'" + std::string(text.substr(0, 80)) + "' is no platform", 0,
                      "a platform is OS/ARCHITECTURE[/VARIANT], as in linux/arm64 or linux/arm/v7");
  Platform platform;
  if (parts.size() > 1)
    platform.os = parts[0];
  platform.architecture = parts.size() > 1 ? parts[1] : parts[0];
  const auto alias = std::ranges::find(kAliases, platform.architecture, &Alias::name);
  if (alias != kAliases.end()) {
    platform.architecture = alias->architecture;
    platform.variant = alias->variant;
  }
  if (parts.size() == kMaxParts)
    platform.variant = parts[2];
  return platform;
}

Platform own_platform() {
#if defined(__x86_64__)
  return {.architecture = "amd64", .variant = {}};
#elif defined(__aarch64__)
  return {.architecture = "arm64", .variant = {}};
#else
#error "an architecture without a name in GOARCH's terms"
#endif
}

int fitness(const Platform& offered, const Platform& wanted) {
  if (offered.os != wanted.os || offered.architecture != wanted.architecture)
    return 0;
  // All of arm64 is v8 and all of amd64 at least v1.
  const bool plain = offered.variant.empty() || (wanted.architecture == "arm64" && offered.variant == "v8") ||
                     (wanted.architecture == "amd64" && offered.variant == "v1");
  constexpr int kBest = 100;
  if (!wanted.variant.empty())
    return offered.variant == wanted.variant ? kBest : plain ? 1 : 0;
  if (plain)
    return kBest;
  if (wanted.architecture != "arm")
    return 0;
  const auto number = base::parse_unsigned(offered.variant.starts_with('v') ? offered.variant.substr(1) : "");
  constexpr std::uint64_t kNewestArm = 7;
  return number && *number <= kNewestArm ? static_cast<int>(*number) : 0;
}

}  // namespace trine::images
