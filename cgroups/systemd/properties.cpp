#include "properties.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "../convert.h"
#include "../device_policy.h"
#include "base/error.h"
#include "base/text.h"
#include "variant.h"

namespace trine::cgroups::systemd {
namespace {

using Properties = std::vector<UnitProperty>;

constexpr std::uint64_t kInfinity = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kSecondUs = 1'000'000;

std::string number(std::uint64_t value) {
  return "uint64 " + std::to_string(value);
}

std::uint64_t or_infinity(std::int64_t value) {
  return value < 0 ? kInfinity : static_cast<std::uint64_t>(value);
}

/// "0-2,4" as a mask, the lowest CPU in the lowest bit of the first byte. Nothing when it is of another form:
/// the kernel will say what is wrong with it.
std::optional<std::string> mask_of(const std::string& set) {
  constexpr std::uint64_t kMaximum = 8192;
  std::vector<unsigned> bytes;
  for (const auto& part : base::split(set, ',', base::SplitEmpty::kSkip)) {
    const auto dash = part.find('-');
    const auto first = base::parse_unsigned(base::trim(part.substr(0, dash)));
    const auto last =
        dash == std::string::npos ? first : base::parse_unsigned(base::trim(part.substr(dash + 1)));
    if (!first || !last || *first > *last || *last >= kMaximum)
      return std::nullopt;
    bytes.resize(std::max<std::size_t>(bytes.size(), *last / 8 + 1));
    for (auto bit = *first; bit <= *last; ++bit)
      bytes[bit / 8] |= 1U << (bit % 8);
  }
  if (bytes.empty())
    return std::nullopt;
  std::string text = "[byte ";
  for (const auto& byte : bytes)
    text += (&byte == bytes.data() ? "" : ", ") + std::to_string(byte);
  return text + "]";
}

void add_set(Properties& properties, const char* name, const std::optional<std::string>& set) {
  if (const auto mask = set ? mask_of(*set) : std::nullopt)
    properties.emplace_back(name, *mask);
}

/// systemd knows run time in a second, in steps of a hundredth: a step too many rather than one too few.
void add_quota(Properties& properties, const CpuQuota& cpu) {
  constexpr std::uint64_t kStepUs = 10'000;
  constexpr std::uint64_t kDefaultPeriodUs = 100'000;
  const std::uint64_t period = cpu.period_us.value_or(kDefaultPeriodUs);
  if (cpu.period_us)
    properties.emplace_back("CPUQuotaPeriodUSec", number(*cpu.period_us));
  if (!cpu.quota_us || period == 0)
    return;
  std::uint64_t a_second = kInfinity;
  if (*cpu.quota_us > 0 && static_cast<std::uint64_t>(*cpu.quota_us) < kInfinity / kSecondUs) {
    a_second = static_cast<std::uint64_t>(*cpu.quota_us) * kSecondUs / period;
    a_second = (a_second + kStepUs - 1) / kStepUs * kStepUs;
  }
  properties.emplace_back("CPUQuotaPerSecUSec", number(a_second));
}

void add_v2(Properties& properties, const Limits& limits) {
  if (limits.memory_bytes)
    properties.emplace_back("MemoryMax", number(or_infinity(*limits.memory_bytes)));
  if (limits.memory_reservation_bytes)
    properties.emplace_back("MemoryLow", number(or_infinity(*limits.memory_reservation_bytes)));
  const auto memory = limits.memory_bytes.value_or(-1);
  const auto sum = limits.memory_swap_bytes.value_or(-1);
  if (limits.memory_swap_bytes && sum < 0)
    properties.emplace_back("MemorySwapMax", number(kInfinity));
  if (memory >= 0 && sum >= memory)
    properties.emplace_back("MemorySwapMax", number(static_cast<std::uint64_t>(sum - memory)));
  // An idle group takes no weight, and older managers have no word for one.
  if (limits.cpu_shares && limits.cpu_idle.value_or(0) == 0)
    properties.emplace_back("CPUWeight", number(weight_of_shares(*limits.cpu_shares)));
  if (limits.io_weight)
    properties.emplace_back("IOWeight", number(io_weight_of_blkio(*limits.io_weight)));
  add_set(properties, "AllowedCPUs", limits.cpuset_cpus);
  add_set(properties, "AllowedMemoryNodes", limits.cpuset_mems);
}

struct UnifiedProperty {
  const char* file;
  const char* property;
};
/// Files that hold one number or "max".
constexpr std::array kUnified{
    UnifiedProperty{"cpu.weight", "CPUWeight"}, UnifiedProperty{"memory.high", "MemoryHigh"},
    UnifiedProperty{"memory.low", "MemoryLow"}, UnifiedProperty{"memory.max", "MemoryMax"},
    UnifiedProperty{"memory.min", "MemoryMin"}, UnifiedProperty{"memory.swap.max", "MemorySwapMax"},
    UnifiedProperty{"pids.max", "TasksMax"}};

/// "max 100000"
void add_unified_quota(Properties& properties, const std::string& value) {
  const auto words = base::split(base::trim(value), ' ', base::SplitEmpty::kSkip);
  if (words.empty() || words.size() > 2)
    return;
  CpuQuota cpu{.quota_us = -1};
  if (words[0] != "max")
    cpu.quota_us = static_cast<std::int64_t>(base::parse_unsigned(words[0]).value_or(0));
  if (words.size() == 2)
    cpu.period_us = base::parse_unsigned(words[1]);
  add_quota(properties, cpu);
}

void add_unified(Properties& properties, const Limits& limits) {
  for (const auto& [file, value] : limits.unified) {
    if (file == "cpu.max")
      add_unified_quota(properties, value);
    if (file == "cpuset.cpus")
      add_set(properties, "AllowedCPUs", value);
    if (file == "cpuset.mems")
      add_set(properties, "AllowedMemoryNodes", value);
    const auto known = std::ranges::find(kUnified, file, &UnifiedProperty::file);
    const auto plain = base::trim(value);
    const auto parsed = plain == "max" ? std::optional(kInfinity) : base::parse_unsigned(plain);
    if (known != kUnified.end() && parsed)
      properties.emplace_back(known->property, number(*parsed));
  }
}

/// Drivers by number, from the part of /proc/devices for `type`.
std::map<std::uint32_t, std::string> drivers(char type) {
  std::map<std::uint32_t, std::string> names;
  std::ifstream in("/proc/devices");
  bool wanted = false;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with(" devices:"))
      wanted = line.starts_with(type == 'c' ? "Character" : "Block");
    const auto words = base::split(line, ' ', base::SplitEmpty::kSkip);
    const auto major = wanted && words.size() == 2 ? base::parse_unsigned(words[0]) : std::nullopt;
    if (major)
      names.emplace(static_cast<std::uint32_t>(*major), words[1]);
  }
  return names;
}

/// A device, or a class of them, as DeviceAllow names it. Nothing for what it cannot name; the container
/// misses such a device only after systemd was told to read its configuration again.
std::optional<std::string> device_name(const DeviceException& device) {
  const std::string kind = device.type == 'c' ? "char" : "block";
  if (device.major && device.minor)
    return "/dev/" + kind + "/" + std::to_string(*device.major) + ":" + std::to_string(*device.minor);
  if (device.minor)
    return std::nullopt;
  if (!device.major)
    return kind + "-*";
  const auto names = drivers(device.type);
  const auto driver = names.find(*device.major);
  return driver == names.end() ? std::nullopt : std::optional(kind + "-" + driver->second);
}

/// On version 1 systemd writes the rules of a unit anew whenever it reads its configuration: it must know
/// them.
void add_devices(Properties& properties, const Limits& limits) {
  if (limits.devices.empty() || allows_everything(limits.devices))
    return;
  const auto policy = v1_policy(limits.devices);
  if (!policy || policy->allow_by_default)
    return;  // DeviceAllow has no word for "all but these"
  std::string list;
  for (const auto& device : policy->exceptions) {
    const auto name = device_name(device);
    if (!name)
      continue;
    std::string access;
    access += (device.access & kRead) != 0 ? "r" : "";
    access += (device.access & kWrite) != 0 ? "w" : "";
    access += (device.access & kMknod) != 0 ? "m" : "";
    list += (list.empty() ? "(" : ", (") + quote(*name) + ", " + quote(access) + ")";
  }
  properties.emplace_back("DevicePolicy", "'strict'");
  properties.emplace_back("DeviceAllow", "@a(ss) [" + list + "]");
}

void add_v1(Properties& properties, const Limits& limits) {
  if (limits.memory_bytes)
    properties.emplace_back("MemoryLimit", number(or_infinity(*limits.memory_bytes)));
  if (limits.cpu_shares)
    properties.emplace_back("CPUShares", number(*limits.cpu_shares));
  if (limits.io_weight)
    properties.emplace_back("BlockIOWeight", number(*limits.io_weight));
  add_devices(properties, limits);
}

/// Seconds, as a number of any type, in microseconds.
std::optional<std::uint64_t> microseconds(const Variant& seconds) {
  constexpr std::uint64_t kMaximum = kInfinity / kSecondUs;
  if (const auto* whole = std::get_if<std::uint64_t>(&seconds.value); whole != nullptr && *whole < kMaximum)
    return *whole * kSecondUs;
  if (const auto* whole = std::get_if<std::int64_t>(&seconds.value);
      whole != nullptr && *whole >= 0 && static_cast<std::uint64_t>(*whole) < kMaximum)
    return static_cast<std::uint64_t>(*whole) * kSecondUs;
  if (const auto* part = std::get_if<double>(&seconds.value);
      part != nullptr && *part >= 0 && *part < static_cast<double>(kMaximum))
    return static_cast<std::uint64_t>(std::llround(*part * static_cast<double>(kSecondUs)));
  return std::nullopt;
}

[[noreturn]] void refuse(const UnitProperty& property, const std::string& why) {
  throw base::Error(
      "cannot set the systemd property '" + property.first + "' to " + property.second + ": " + why, EINVAL,
      "values are in GVariant's text format: true, 'word', uint64 5");
}

UnitProperty check(const UnitProperty& property) {
  const auto& [name, text] = property;
  const bool letters = std::ranges::all_of(name, [](unsigned char c) { return std::isalpha(c) != 0; });
  if (name.size() < 3 || !letters)
    refuse(property, "that is no name of a property");
  const auto value = parse_variant(text);
  if (!value)
    refuse(property, value.error());
  if (!name.ends_with("Sec") || name.ends_with("USec"))
    return property;
  const auto converted = microseconds(*value);
  if (!converted)
    refuse(property, "that is no number of seconds");
  return {name.substr(0, name.size() - 3) + "USec", number(*converted)};
}

}  // namespace

Properties properties_of(const Limits& limits, bool v2) {
  Properties properties;
  v2 ? add_v2(properties, limits) : add_v1(properties, limits);
  if (limits.cpu)
    add_quota(properties, *limits.cpu);
  if (limits.pids_max)
    properties.emplace_back("TasksMax", number(or_infinity(*limits.pids_max)));
  if (v2)
    add_unified(properties, limits);
  return properties;
}

Properties check_properties(const Properties& properties) {
  Properties checked;
  checked.reserve(properties.size());
  for (const auto& property : properties)
    checked.push_back(check(property));
  return checked;
}

}  // namespace trine::cgroups::systemd
