#include "device_policy.h"

#include <cerrno>

#include "base/error.h"

namespace trine::cgroups {
namespace {

bool covers(const std::optional<std::uint32_t>& wide, const std::optional<std::uint32_t>& narrow) {
  return !wide || wide == narrow;
}

bool meets(const std::optional<std::uint32_t>& one, const std::optional<std::uint32_t>& other) {
  return !one || !other || one == other;
}

/// Whether every device of `narrow` is one of `wide`.
bool covers(const DeviceException& wide, const DeviceException& narrow) {
  return wide.type == narrow.type && covers(wide.major, narrow.major) && covers(wide.minor, narrow.minor);
}

bool meets(const DeviceException& one, const DeviceException& other) {
  return one.type == other.type && meets(one.major, other.major) && meets(one.minor, other.minor);
}

bool is_for_all(const DeviceRule& rule) {
  return rule.type == 'a' && !rule.major && !rule.minor && access_bits(rule) == kAllAccess;
}

/// Adds to the exceptions, joined with one for the same devices, so that "r" and "w" together give "rw".
void add(std::vector<DeviceException>& exceptions, const DeviceException& added) {
  for (auto& exception : exceptions) {
    if (covers(exception, added) && covers(added, exception)) {
      exception.access |= added.access;
      return;
    }
  }
  exceptions.push_back(added);
}

/// Takes `removed` out of the exceptions; false when a part of one would have to stay.
bool remove(std::vector<DeviceException>& exceptions, const DeviceException& removed) {
  for (auto& exception : exceptions) {
    if (!meets(exception, removed) || (exception.access & removed.access) == 0)
      continue;
    if (!covers(removed, exception))
      return false;
    exception.access &= ~removed.access;
  }
  std::erase_if(exceptions, [](const DeviceException& exception) { return exception.access == 0; });
  return true;
}

/// Applies a rule for one of the two types.
bool apply(DevicePolicy& policy, const DeviceRule& rule, char type) {
  const DeviceException named{
      .type = type, .major = rule.major, .minor = rule.minor, .access = access_bits(rule)};
  if (named.access == 0)
    return true;
  if (rule.allow == policy.allow_by_default)
    return remove(policy.exceptions, named);
  add(policy.exceptions, named);
  return true;
}

}  // namespace

unsigned access_bits(const DeviceRule& rule) {
  unsigned bits = 0;
  for (const char letter : rule.access) {
    if (letter == 'm') {
      bits |= kMknod;
    } else if (letter == 'r') {
      bits |= kRead;
    } else if (letter == 'w') {
      bits |= kWrite;
    } else {
      throw base::Error("bad device rule: access '" + rule.access + "' has a letter other than r, w and m",
                        EINVAL);
    }
  }
  return bits;
}

std::optional<DevicePolicy> v1_policy(const std::vector<DeviceRule>& rules) {
  DevicePolicy policy;
  for (const auto& rule : rules) {
    if (rule.type != 'a' && rule.type != 'b' && rule.type != 'c') {
      throw base::Error(std::string("bad device rule: type '") + rule.type + "' is not a, b or c", EINVAL);
    }
    if (is_for_all(rule)) {
      policy = {.allow_by_default = rule.allow, .exceptions = {}};
      continue;
    }
    for (const char type : {'c', 'b'}) {
      if ((rule.type == 'a' || rule.type == type) && !apply(policy, rule, type))
        return std::nullopt;
    }
  }
  return policy;
}

bool allows_everything(const std::vector<DeviceRule>& rules) {
  const auto policy = v1_policy(rules);
  return policy && policy->allow_by_default && policy->exceptions.empty();
}

std::string text_of(const DeviceException& exception) {
  const auto number = [](const std::optional<std::uint32_t>& value) {
    return value ? std::to_string(*value) : std::string("*");
  };
  std::string text{exception.type, ' '};
  text += number(exception.major) + ":" + number(exception.minor) + " ";
  if ((exception.access & kRead) != 0)
    text += 'r';
  if ((exception.access & kWrite) != 0)
    text += 'w';
  if ((exception.access & kMknod) != 0)
    text += 'm';
  return text;
}

}  // namespace trine::cgroups
