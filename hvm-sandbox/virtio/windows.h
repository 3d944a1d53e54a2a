#pragma once

#include <cstddef>
#include <span>

namespace trine::hvm {

/// Pages that the guest reads in place of devices' registers: see MmioWires. Memory is taken for those that
/// are used.
class RegisterWindows {
 public:
  /// `most`: of devices; 0: there are none. Throws base::Error.
  explicit RegisterWindows(unsigned most);
  RegisterWindows(const RegisterWindows&) = delete;
  RegisterWindows& operator=(const RegisterWindows&) = delete;
  ~RegisterWindows();

  /// The device's page; empty where there is none.
  [[nodiscard]] std::span<std::byte> of(unsigned device) const noexcept;
  /// Those of the first `count` devices, one behind the other.
  [[nodiscard]] std::span<std::byte> first(unsigned count) const noexcept;

 private:
  std::span<std::byte> pages_;
};

}  // namespace trine::hvm
