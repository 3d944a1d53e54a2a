#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document.h"

namespace trine::images {

/// What an image is made for, in the terms of GOOS and GOARCH. Source: OCI image-spec 1.1 image-index.md.
struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;  ///< "v7"; empty: any that the architecture can run

  [[nodiscard]] std::string text() const;
};

/// "arm64", "linux/arm64" or "linux/arm/v7"; uname's names ("aarch64", "x86_64") are taken too. Throws Error.
Platform parse_platform(std::string_view text);
/// This machine's.
Platform own_platform();

/// Of an index, the entry that fits best. Throws Error listing those there are.
Descriptor select(const std::vector<Descriptor>& manifests, const Platform& platform,
                  const std::string& name);

}  // namespace trine::images
