// Limits of a group that is in use.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "cgroups/group.h"
#include "controllers.h"
#include "directory.h"
#include "plan.h"

namespace trine::cgroups {
namespace {

struct Step {
  const Controller* controller;
  const Directory* directory;
};

class Finder {
 public:
  explicit Finder(const std::vector<Directory>& directories) {
    for (const auto& directory : directories)
      known_.emplace_back(&directory, controllers_in(directory));
  }

  /// The directory that has a controller, by its name in either version; null when none does.
  [[nodiscard]] const Directory* find(std::string_view v1_name, std::string_view v2_name) const {
    for (const auto& [directory, names] : known_) {
      if (std::ranges::find(names, directory->v2 ? v2_name : v1_name) != names.end())
        return directory;
    }
    return nullptr;
  }

  [[nodiscard]] const Directory& get(std::string_view v1_name, std::string_view v2_name,
                                     const std::string& limit) const {
    if (const auto* const directory = find(v1_name, v2_name))
      return *directory;
    const auto group = known_.empty() ? "an instance without a cgroup" : known_.front().first->path;
    throw base::Error("cannot set the " + limit + " limit of " + group +
                          ": the group has no directory with the controller " +
                          std::string(v1_name.empty() ? v2_name : v1_name),
                      ENOENT,
                      "the kernel lacks it, or the instance was started without a limit that needs it");
  }

 private:
  std::vector<std::pair<const Directory*, std::vector<std::string>>> known_;
};

/// The version 2 directory for a file of `unified`.
const Directory& place_of(const Finder& finder, const std::vector<Directory>& directories,
                          const std::string& file) {
  const auto controller = file.substr(0, file.find('.'));
  const auto v2 = std::ranges::find_if(directories, &Directory::v2);
  if (controller == "cgroup" && v2 != directories.end())
    return *v2;
  return finder.get("", controller, file);
}

}  // namespace

void update(const Group& group, const Limits& limits) {
  check_limits(limits);
  const Finder finder(group.directories_);
  std::vector<Step> steps;
  for (const auto& controller : controllers()) {
    if (const char* const limit = controller.wanted(limits))
      steps.push_back({&controller, &finder.get(controller.v1_name, controller.v2_name, limit)});
  }
  for (const auto& [file, value] : limits.unified)
    place_of(finder, group.directories_, file);

  for (const auto& [controller, directory] : steps)
    (directory->v2 ? controller->apply_v2 : controller->apply_v1)(*directory, limits);
  for (const auto& [file, value] : limits.unified)
    place_of(finder, group.directories_, file).write(file, value, file);
}

}  // namespace trine::cgroups
