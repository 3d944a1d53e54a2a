#pragma once

#include <string>
#include <string_view>

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

/// How well what is made for `offered` fits who wants `wanted`; 0 when it does not. What was asked for comes
/// first, and where no variant was, the newest that every machine of the architecture has.
int fitness(const Platform& offered, const Platform& wanted);

}  // namespace trine::images
