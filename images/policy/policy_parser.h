#pragma once

#include <string>
#include <string_view>

#include "policy.h"
#include "strict_json.h"

namespace trine::images {

constexpr std::size_t kMaxPolicy = 1 << 20;

/// Reads one policy file. Throws Error naming file and place.
class PolicyParser {
 public:
  explicit PolicyParser(std::string file) : file_(std::move(file)) {}
  [[nodiscard]] SignaturePolicy parse(std::string_view text) const;

 private:
  std::string file_;
};

}  // namespace trine::images
