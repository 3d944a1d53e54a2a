#include "idmap_value.h"

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "run_values.h"

namespace trine::runtime::cli {
namespace {

using oci::IdMapping;

constexpr std::string_view kOption = "idmap";
constexpr std::string_view kUids = "uids=";
constexpr std::string_view kGids = "gids=";
constexpr const char* kUsage =
    "write idmap=uids=FILE-SHOWN-COUNT;gids=FILE-SHOWN-COUNT, several triplets with # between them";

/// The ids of a range that ends below the last one, which the kernel keeps for none.
bool fits(std::uint64_t first, std::uint64_t count) {
  return count > 0 && first + count <= std::numeric_limits<std::uint32_t>::max();
}

IdMapping read_triplet(const std::string& text, const std::string& whole) {
  const auto parts = base::split(text, '-');
  std::vector<std::uint64_t> numbers;
  for (const std::string& part : parts) {
    if (const auto number = base::parse_unsigned(part);
        number && *number <= std::numeric_limits<std::uint32_t>::max())
      numbers.push_back(*number);
  }
  if (parts.size() != 3 || numbers.size() != 3 || !fits(numbers[0], numbers[2]) ||
      !fits(numbers[1], numbers[2]))
    refuse("--volume", whole, "'" + text + "' maps no ids", kUsage);
  return {.container_id = static_cast<std::uint32_t>(numbers[0]),
          .host_id = static_cast<std::uint32_t>(numbers[1]),
          .size = static_cast<std::uint32_t>(numbers[2])};
}

std::vector<IdMapping> read_triplets(const std::string& text, const std::string& whole) {
  std::vector<IdMapping> mappings;
  for (const std::string& triplet : base::split(text, '#'))
    mappings.push_back(read_triplet(triplet, whole));
  return mappings;
}

}  // namespace

bool is_idmap(const std::string& option) {
  return option == kOption || option.starts_with(std::string(kOption) + "=");
}

void set_idmap(engine::VolumeMount& mount, const std::string& option, const std::string& whole) {
  if (option == kOption)
    refuse("--volume", whole, "idmap alone maps as a user namespace does, and an instance has none", kUsage);
  for (const std::string& field : base::split(option.substr(kOption.size() + 1), ';')) {
    if (field.starts_with(kUids) && mount.uid_mappings.empty())
      mount.uid_mappings = read_triplets(field.substr(kUids.size()), whole);
    else if (field.starts_with(kGids) && mount.gid_mappings.empty())
      mount.gid_mappings = read_triplets(field.substr(kGids.size()), whole);
    else
      refuse("--volume", whole, "'" + field + "' of idmap is neither uids= nor gids=, once each", kUsage);
  }
  if (mount.uid_mappings.empty() || mount.gid_mappings.empty())
    refuse("--volume", whole, "idmap needs both uids= and gids=", kUsage);
}

}  // namespace trine::runtime::cli
