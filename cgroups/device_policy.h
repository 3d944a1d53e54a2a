#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cgroups/limits.h"

namespace trine::cgroups {

/// The kinds of access, as bits of BPF_DEVCG_ACC_….
inline constexpr unsigned kMknod = 1;
inline constexpr unsigned kRead = 2;
inline constexpr unsigned kWrite = 4;
inline constexpr unsigned kAllAccess = kMknod | kRead | kWrite;

/// The bits of "rwm", 0 for an empty text. Throws Error for another letter.
unsigned access_bits(const DeviceRule& rule);

/// A set of devices and a set of kinds of access to them. No number: all numbers.
struct DeviceException {
  char type = 'c';  ///< b or c
  std::optional<std::uint32_t> major;
  std::optional<std::uint32_t> minor;
  unsigned access = kAllAccess;
};

/// What version 1 can hold of a list of rules: one default, and exceptions from it.
struct DevicePolicy {
  bool allow_by_default = false;
  std::vector<DeviceException> exceptions;
};

/// Whether the rules forbid nothing, so that no device control is needed.
bool allows_everything(const std::vector<DeviceRule>& rules);

/// The rules as version 1 holds them. Nothing when it cannot: it knows no exception from an exception ("allow
/// all of major 1, deny 1:3"). Throws Error for a rule that makes no sense.
std::optional<DevicePolicy> v1_policy(const std::vector<DeviceRule>& rules);

/// An exception as v1's files take it: "c 1:* rwm".
std::string text_of(const DeviceException& exception);

}  // namespace trine::cgroups
