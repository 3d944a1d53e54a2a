#include "platform.h"

#include <algorithm>

#include "base/error.h"

namespace trine::images {
namespace {

Platform platform_of(const Descriptor& entry) {
  return {.os = entry.os, .architecture = entry.architecture, .variant = entry.variant};
}

}  // namespace

Descriptor select(const std::vector<Descriptor>& manifests, const Platform& platform,
                  const std::string& name) {
  const auto best = std::ranges::max_element(
      manifests, {}, [&](const Descriptor& entry) { return fitness(platform_of(entry), platform); });
  if (best != manifests.end() && fitness(platform_of(*best), platform) > 0)
    return *best;
  if (manifests.size() == 1 && manifests.front().architecture.empty())
    return manifests.front();
  std::string others;
  for (const auto& entry : manifests) {
    // An attestation is listed as for "unknown".
    if (entry.os != "unknown")
      others += (others.empty() ? "" : ", ") + platform_of(entry).text();
  }
  throw base::Error(name + " has no image for " + platform.text(), 0,
                    "it has: " + (others.empty() ? "none" : others));
}

void check_platform(const ImageConfig& config, const Platform& wanted, const std::string& name) {
  const Platform offered{.os = config.os, .architecture = config.architecture, .variant = config.variant};
  const bool same = offered.os == wanted.os && offered.architecture == wanted.architecture;
  if (config.os.empty() || config.architecture.empty() ||
      (same && (wanted.variant.empty() || fitness(offered, wanted) > 0)))
    return;
  throw base::Error("cannot load " + name + ": it is for " + offered.text() + ", not for " + wanted.text(), 0,
                    "get the image for this platform, or load this one with --platform " + offered.text());
}

}  // namespace trine::images
