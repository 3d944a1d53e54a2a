#include "internal.h"

namespace trine::cgroups {
namespace {

std::string number(const std::optional<std::uint32_t>& value) {
  return value ? std::to_string(*value) : "*";
}

std::string format(const DeviceRule& rule) {
  if (rule.type == 'a')
    return "a";
  return std::string(1, rule.type) + " " + number(rule.major) + ":" + number(rule.minor) + " " + rule.access;
}

}  // namespace

void apply_devices_v1(const Directory& directory, const std::vector<DeviceRule>& rules) {
  directory.write("devices.deny", "a", "device access");
  for (const auto& rule : rules) {
    directory.write(rule.allow ? "devices.allow" : "devices.deny", format(rule), "device access");
  }
}

}  // namespace trine::cgroups
