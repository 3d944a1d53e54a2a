#include <algorithm>
#include <set>

#include "validate.h"

namespace trine::runtime::oci {
namespace {

/// What the kernel takes as the name of an interface (dev_valid_name).
bool is_interface_name(const std::string& name) {
  constexpr std::size_t kMaxName = 15;  // IFNAMSIZ - 1
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == std::string::npos;
}

bool is_template(const std::string& name) {
  return name.find('%') != std::string::npos;
}

void check_schema_line(const std::string& line, const std::string& field) {
  if (line.find('\n') != std::string::npos)
    refuse(field, "must be one line");
}

}  // namespace

void check_time_offsets(const Spec& spec) {
  constexpr std::uint32_t kSecond = 1'000'000'000;
  const auto& offsets = spec.linux_part.time_offsets;
  for (const auto& [clock, offset] : offsets) {
    const std::string field = "config.json: linux.timeOffsets[\"" + clock + "\"]";
    if (clock != "monotonic" && clock != "boottime")
      refuse(field, "is no clock with an offset", "the clocks are monotonic and boottime");
    if (offset.nanosecs >= kSecond)
      refuse(field + ".nanosecs", "must be below 1000000000");
  }
  if (!offsets.empty() && !has_new_namespace(spec, "time"))
    refuse("config.json: linux.timeOffsets", "needs a new time namespace",
           "add {\"type\": \"time\"} to linux.namespaces");
}

void check_intel_rdt(const Linux& part) {
  if (!part.intel_rdt)
    return;
  const IntelRdt& rdt = *part.intel_rdt;
  const std::string field = "config.json: linux.intelRdt.";
  const std::string& id = rdt.clos_id;
  if (id == "." || id == ".." || (id != "/" && id.find('/') != std::string::npos))
    refuse(field + "closID", "'" + id + "' is not the name of one directory",
           "\"/\" stands for the default class");
  if (id == "info" || id == "mon_data" || id == "mon_groups")
    refuse(field + "closID", "'" + id + "' is a name of the kernel's own");
  for (std::size_t i = 0; i < rdt.schemata.size(); ++i)
    check_schema_line(rdt.schemata[i], field + "schemata[" + std::to_string(i) + "]");
  check_schema_line(rdt.l3_cache_schema, field + "l3CacheSchema");
  check_schema_line(rdt.mem_bw_schema, field + "memBwSchema");
  if (!rdt.mem_bw_schema.empty() && !rdt.mem_bw_schema.starts_with("MB:"))
    refuse(field + "memBwSchema", "must begin with MB:");
}

void check_net_devices(const Spec& spec) {
  std::set<std::string> inside;
  for (const auto& [host, device] : spec.linux_part.net_devices) {
    const std::string field = "config.json: linux.netDevices[\"" + host + "\"]";
    const std::string& name = device.name.empty() ? host : device.name;
    if (!is_interface_name(host) || is_template(host))
      refuse(field, "is no name of a network interface", "at most 15 bytes, without '/', ':' and blanks");
    if (!is_interface_name(name))
      refuse(field + ".name", "'" + name + "' is no name of a network interface");
    if (is_template(name) && (name.find("%d") != name.rfind('%') || std::ranges::count(name, '%') != 1))
      refuse(field + ".name", "'" + name + "' must hold one %d and no other %");
    if (!is_template(name) && !inside.insert(name).second)
      refuse(field + ".name", "'" + name + "' is the name of another device as well");
  }
  if (!spec.linux_part.net_devices.empty() && !has_namespace(spec, "network"))
    refuse("config.json: linux.netDevices", "needs a network namespace",
           "add {\"type\": \"network\"} to linux.namespaces");
}

}  // namespace trine::runtime::oci
