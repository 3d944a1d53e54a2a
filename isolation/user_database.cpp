#include "user_database.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace trine::isolation {
namespace {

constexpr std::uint64_t kMaxId = (std::uint64_t{1} << 31) - 1;
// NGROUPS_MAX is 65536; an image has no business with so many.
constexpr std::size_t kMaxGroups = 1024;

struct PasswdEntry {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto number = base::parse_unsigned(text);
  if (!number || *number > kMaxId)
    return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

/// Calls `take` with the fields of each line until it returns true.
template <typename Take>
void for_each_line(std::string_view text, std::size_t fields, Take take) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto parts = base::split(text.substr(0, end), ':');
    if (parts.size() >= fields && !parts[0].empty() && take(parts))
      return;
    if (end == std::string_view::npos)
      return;
    text.remove_prefix(end + 1);
  }
}

template <typename Match>
std::optional<PasswdEntry> find_user(std::string_view passwd, Match match) {
  std::optional<PasswdEntry> found;
  for_each_line(passwd, 7, [&](const std::vector<std::string>& fields) {
    const auto uid = parse_id(fields[2]);
    const auto gid = parse_id(fields[3]);
    if (!uid || !gid)
      return false;
    PasswdEntry entry{.name = fields[0], .uid = *uid, .gid = *gid, .home = fields[5]};
    if (!match(entry))
      return false;
    found = std::move(entry);
    return true;
  });
  return found;
}

template <typename Visit>
void for_each_group(std::string_view group, Visit visit) {
  for_each_line(group, 4, [&](const std::vector<std::string>& fields) {
    const auto gid = parse_id(fields[2]);
    return gid && visit(GroupEntry{fields[0], *gid, base::split(fields[3], ',', base::SplitEmpty::kSkip)});
  });
}

[[noreturn]] void unknown(std::string_view what, std::string_view text, std::string_view file) {
  const auto number = base::parse_unsigned(text);
  if (number || (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos)) {
    throw base::Error("cannot use " + std::string(what) + " " + std::string(text) + ": ids end at " +
                      std::to_string(kMaxId));
  }
  throw base::Error("unknown " + std::string(what) + " " + std::string(text) + ": " + std::string(file) +
                        " of the image has no such entry",
                    0, "use a name from that file, or a number");
}

gid_t resolve_group(std::string_view text, std::string_view group) {
  std::optional<gid_t> found;
  for_each_group(group, [&](const GroupEntry& entry) {
    if (entry.name == text)
      found = entry.gid;
    return found.has_value();
  });
  if (!found)
    found = parse_id(text);
  if (!found)
    unknown("group", text, "/etc/group");
  return *found;
}

std::vector<gid_t> supplementary_groups(const std::string& user, std::string_view group) {
  std::vector<gid_t> gids;
  for_each_group(group, [&](const GroupEntry& entry) {
    if (std::ranges::find(entry.members, user) != entry.members.end())
      gids.push_back(entry.gid);
    return gids.size() >= kMaxGroups;
  });
  return gids;
}

}  // namespace

ResolvedUser resolve_user_text(std::string_view text, std::string_view passwd, std::string_view group) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view group_name = colon == std::string_view::npos ? "" : text.substr(colon + 1);

  const auto number = name.empty() ? std::optional<std::uint32_t>(0) : parse_id(name);
  auto entry = find_user(passwd, [&](const PasswdEntry& candidate) { return candidate.name == name; });
  if (!entry && number) {
    entry = find_user(passwd, [&](const PasswdEntry& candidate) { return candidate.uid == *number; });
  }
  if (!entry && !number)
    unknown("user", name, "/etc/passwd");

  ResolvedUser resolved;
  resolved.user.uid = entry ? entry->uid : *number;
  resolved.user.gid = entry ? entry->gid : 0;
  resolved.home = entry && !entry->home.empty() ? entry->home : "/";
  if (!group_name.empty())
    resolved.user.gid = resolve_group(group_name, group);
  // The group itself is among them: without it a set-group-id program could drop the group, and with it
  // whatever is forbidden to that group (CVE-2022-36109).
  resolved.user.additional_gids = {resolved.user.gid};
  if (group_name.empty() && entry) {
    for (const gid_t gid : supplementary_groups(entry->name, group)) {
      if (gid != resolved.user.gid)
        resolved.user.additional_gids.push_back(gid);
    }
  }
  return resolved;
}

}  // namespace trine::isolation
