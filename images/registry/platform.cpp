#include "platform.h"

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

/// How well an entry fits, 0 when it does not: what was asked for, else the newest that every machine has.
int fitness(const Descriptor& entry, const Platform& wanted) {
  if (entry.os != wanted.os || entry.architecture != wanted.architecture)
    return 0;
  // All of arm64 is v8 and all of amd64 at least v1.
  const bool plain = entry.variant.empty() || (wanted.architecture == "arm64" && entry.variant == "v8") ||
                     (wanted.architecture == "amd64" && entry.variant == "v1");
  constexpr int kBest = 100;
  if (!wanted.variant.empty())
    return entry.variant == wanted.variant ? kBest : plain ? 1 : 0;
  if (plain)
    return kBest;
  if (wanted.architecture != "arm")
    return 0;
  const auto number = base::parse_unsigned(entry.variant.starts_with('v') ? entry.variant.substr(1) : "");
  constexpr std::uint64_t kNewestArm = 7;
  return number && *number <= kNewestArm ? static_cast<int>(*number) : 0;
}

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
  return {.architecture = std::string(own_architecture()), .variant = {}};
}

Descriptor select(const std::vector<Descriptor>& manifests, const Platform& platform,
                  const std::string& name) {
  const auto best = std::ranges::max_element(
      manifests, {}, [&](const Descriptor& entry) { return fitness(entry, platform); });
  if (best != manifests.end() && fitness(*best, platform) > 0)
    return *best;
  if (manifests.size() == 1 && manifests.front().architecture.empty())
    return manifests.front();
  std::string others;
  for (const auto& entry : manifests) {
    // An attestation is listed as for "unknown".
    if (entry.os != "unknown")
      others += (others.empty() ? "" : ", ") +
                Platform{.os = entry.os, .architecture = entry.architecture, .variant = entry.variant}.text();
  }
  throw base::Error(name + " has no image for " + platform.text(), 0,
                    "it has: " + (others.empty() ? "none" : others));
}

}  // namespace trine::images
