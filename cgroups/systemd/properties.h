#pragma once

#include <vector>

#include "cgroups/limits.h"
#include "cgroups/systemd.h"

/// Limits as systemd's properties. Source: systemd.resource-control(5), org.freedesktop.systemd1(5).
namespace trine::cgroups::systemd {

/// Those of the limits that systemd has properties for; `v2` says which hierarchy it manages.
std::vector<UnitProperty> properties_of(const Limits& limits, bool v2);

/// As annotations give them: names checked, seconds brought into microseconds. Throws Error{EINVAL} naming
/// the property.
std::vector<UnitProperty> check_properties(const std::vector<UnitProperty>& properties);

}  // namespace trine::cgroups::systemd
