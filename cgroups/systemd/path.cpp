// Source: systemd.unit(5), systemd.slice(5).
#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"
#include "cgroups/systemd.h"

namespace trine::cgroups {
namespace {

constexpr std::size_t kMaximumName = 255;
constexpr std::string_view kSlice = ".slice";
constexpr std::string_view kScope = ".scope";

bool is_unit_character(unsigned char c) {
  return std::isalnum(c) != 0 ||
         std::string_view(":-_.\\@").find(static_cast<char>(c)) != std::string_view::npos;
}

[[noreturn]] void bad_path(const std::string& path, const std::string& why) {
  throw base::Error("cannot take '" + path + "' for the path of a systemd cgroup: " + why, EINVAL,
                    "it reads like system.slice:runc:abc: slice, prefix and name");
}

/// Dashes in a slice's name are its place in the tree, so none may be empty.
bool is_slice(const std::string& slice) {
  if (slice == "-.slice")
    return true;
  if (!slice.ends_with(kSlice) || slice.size() > kMaximumName ||
      !std::ranges::all_of(slice, is_unit_character))
    return false;
  const auto parts = base::split(slice.substr(0, slice.size() - kSlice.size()), '-');
  return std::ranges::none_of(parts, [](const std::string& part) { return part.empty(); });
}

}  // namespace

SystemdUnit parse_systemd_path(const std::string& cgroups_path, bool user) {
  const auto parts = base::split(cgroups_path, ':');
  if (parts.size() != 3)
    bad_path(cgroups_path, "it is not of the form slice:prefix:name");
  SystemdUnit unit{.slice = parts[0], .name = parts[1].empty() ? parts[2] : parts[1] + "-" + parts[2]};
  if (unit.slice.empty())
    unit.slice = user ? "user.slice" : "system.slice";
  if (!is_slice(unit.slice))
    bad_path(cgroups_path, "'" + unit.slice + "' is no name of a slice");
  if (unit.name.ends_with(kSlice))
    bad_path(cgroups_path, "a container's unit is a scope, not a slice");
  unit.name += kScope;
  const bool plain = std::ranges::all_of(unit.name, is_unit_character);
  if (parts[2].empty() || !plain || unit.name.size() > kMaximumName)
    bad_path(cgroups_path, "'" + unit.name + "' is no name of a unit");
  return unit;
}

std::string slice_path(const std::string& slice) {
  std::string path;
  if (slice == "-.slice")
    return path;
  for (auto dash = slice.find('-'); dash != std::string::npos; dash = slice.find('-', dash + 1))
    path += "/" + slice.substr(0, dash) + std::string(kSlice);
  return path + "/" + slice;
}

}  // namespace trine::cgroups
