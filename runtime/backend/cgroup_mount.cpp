#include "cgroup_mount.h"

#include <linux/mount.h>

#include <algorithm>

namespace trine::runtime::backend {
namespace {

using isolation::Mount;

std::string join(const std::vector<std::string>& parts, char separator) {
  std::string text;
  for (const auto& part : parts)
    text += (text.empty() ? "" : std::string(1, separator)) + part;
  return text;
}

/// Empty when it has none there.
std::string directory_in(const cgroups::Group& group, const cgroups::Hierarchy& hierarchy) {
  const auto directories = group.directories();
  const auto found = std::ranges::find_if(directories, [&](const std::string& directory) {
    return directory.starts_with(hierarchy.mount_point + "/");
  });
  return found == directories.end() ? "" : *found;
}

/// The container's own directory and nothing above it, as a cgroup namespace would have it.
Mount bind_own(const Mount& wanted, const std::string& name, const std::string& directory) {
  Mount mount = wanted;
  mount.destination += "/" + name;
  mount.type = "bind";
  mount.source = directory;
  mount.data.clear();
  mount.bind = true;
  return mount;
}

Mount mount_v2(const Mount& wanted, const std::string& destination, const std::string& host_view) {
  Mount mount = wanted;
  mount.host_view = host_view;
  mount.type = "cgroup2";
  mount.source = "cgroup";
  mount.destination = destination;
  mount.data.clear();
  return mount;
}

/// Read-only only once the directories for the hierarchies are in it: a mount of its own over it would hide
/// them, so the tmpfs gets its attributes by a last entry that changes it in place.
std::vector<Mount> mounts_v1(const Mount& wanted, const cgroups::Hierarchies& hierarchies,
                             const cgroups::Group& group, bool has_namespace) {
  std::vector<Mount> mounts;
  Mount tree = wanted;
  tree.type = "tmpfs";
  tree.source = "tmpfs";
  tree.data = "mode=755,size=64k";
  tree.set_attributes &= ~static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY);
  mounts.push_back(tree);
  for (const auto& hierarchy : hierarchies.all) {
    const std::string directory = directory_in(group, hierarchy);
    if (directory.empty())
      continue;
    const std::string name = hierarchy.mount_point.substr(hierarchy.mount_point.find_last_of('/') + 1);
    if (!has_namespace) {
      mounts.push_back(bind_own(wanted, name, directory));
      continue;
    }
    if (hierarchy.v2) {
      mounts.push_back(mount_v2(wanted, wanted.destination + "/" + name, hierarchy.mount_point));
      continue;
    }
    Mount mount = wanted;
    mount.destination += "/" + name;
    mount.source = "cgroup";
    mount.host_view = hierarchy.mount_point;
    mount.data = join(hierarchy.controllers, ',');
    mounts.push_back(mount);
  }
  if ((wanted.set_attributes & MOUNT_ATTR_RDONLY) != 0) {
    Mount seal = wanted;
    seal.seal_only = true;
    mounts.push_back(seal);
  }
  return mounts;
}

}  // namespace

void expand_cgroup_mounts(std::vector<Mount>& mounts, const cgroups::Hierarchies& hierarchies,
                          const cgroups::Group& group, bool has_namespace) {
  std::vector<Mount> expanded;
  for (auto& mount : mounts) {
    if (mount.type != "cgroup") {
      expanded.push_back(std::move(mount));
    } else if (hierarchies.layout == cgroups::Layout::kV2) {
      expanded.push_back(mount_v2(mount, mount.destination, hierarchies.all.front().mount_point));
    } else if (hierarchies.layout != cgroups::Layout::kNone) {
      std::ranges::move(mounts_v1(mount, hierarchies, group, has_namespace), std::back_inserter(expanded));
    }
  }
  mounts = std::move(expanded);
}

}  // namespace trine::runtime::backend
