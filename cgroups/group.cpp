#include "cgroups/group.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "internal.h"
#include "removal.h"

namespace trine::cgroups {
namespace {

constexpr std::array<const Controller*, 6> kControllers{&kMemory, &kCpu, &kCpuset, &kPids, &kIo, &kHugetlb};

std::string file_text(const std::string& path) {
  return base::read_file(path);
}

std::vector<std::string> words(const std::string& text) {
  return base::split(base::trim(text), ' ', base::SplitEmpty::kSkip);
}

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

/// Fills one group: finds the hierarchy for each limit, makes a directory there once, writes the values.
class Maker {
 public:
  Maker(const Hierarchies& hierarchies, std::string name) : hierarchies_(hierarchies), name_(std::move(name)) {}
  ~Maker() {
    if (keep_) return;
    for (const auto& directory : made_) remove_directory_tree(directory);
  }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;

  void apply(const Controller& controller, const Limits& limits) {
    if (const Hierarchy* v2 = find_v2(); v2 != nullptr && contains(v2_controllers(*v2), controller.name)) {
      enable(*v2, controller);
      controller.apply_v2(directory(*v2), limits);
    } else if (const Hierarchy* v1 = find_v1(controller.v1_name); v1 != nullptr && controller.apply_v1 != nullptr) {
      controller.apply_v1(directory(*v1), limits);
    } else {
      refuse(controller);
    }
  }

  void apply_devices(const std::vector<DeviceRule>& rules) {
    // Where there is a version 1 hierarchy for it, that is cheaper than loading a program.
    if (const Hierarchy* v1 = find_v1("devices")) return apply_devices_v1(directory(*v1), rules);
    const Hierarchy* v2 = find_v2();
    if (v2 != nullptr && apply_devices_bpf(directory(*v2), rules)) return;
    throw base::Error("cannot restrict access to devices: this kernel has neither the devices controller nor "
                      "device programs (CONFIG_CGROUP_BPF)",
                      ENOENT, "--privileged runs without the restriction");
  }

  void apply_unified(const std::map<std::string, std::string>& values) {
    const Hierarchy* v2 = find_v2();
    if (v2 == nullptr) {
      throw base::Error("cannot set " + values.begin()->first + ": this machine has no cgroup v2", ENOENT);
    }
    for (const auto& [file, value] : values) {
      if (file.find('/') != std::string::npos) throw base::Error("cannot set " + file + ": it is no file's name");
      for (const auto* controller : kControllers) {
        if (file.starts_with(std::string(controller->name) + ".")) enable(*v2, *controller);
      }
      directory(*v2).write(file.c_str(), value, file);
    }
  }

  /// A version 2 group even when no limit needs one: to be born in it and killed by it.
  void track() {
    if (hierarchies_.layout == Layout::kV2) directory(*find_v2());
  }

  struct Made {
    std::vector<std::string> directories;
    base::UniqueFd v2;
  };
  Made release() {
    keep_ = true;
    Made made{.directories = std::move(made_), .v2 = {}};
    for (auto& entry : directories_) {
      if (entry.hierarchy->v2) made.v2 = entry.directory.take();
    }
    return made;
  }

 private:
  struct Entry {
    const Hierarchy* hierarchy;
    Directory directory;
  };

  [[nodiscard]] const Hierarchy* find_v2() const {
    const auto found = std::ranges::find_if(hierarchies_.all, &Hierarchy::v2);
    return found != hierarchies_.all.end() ? &*found : nullptr;
  }
  [[nodiscard]] const Hierarchy* find_v1(std::string_view controller) const {
    const auto found = std::ranges::find_if(hierarchies_.all, [&](const Hierarchy& hierarchy) {
      return !hierarchy.v2 && contains(hierarchy.controllers, controller);
    });
    return found != hierarchies_.all.end() ? &*found : nullptr;
  }

  const std::vector<std::string>& v2_controllers(const Hierarchy& v2) {
    if (!controllers_) controllers_ = words(file_text(v2.mount_point + "/cgroup.controllers"));
    return *controllers_;
  }

  /// A controller works in a group when all groups above it pass it on.
  void enable(const Hierarchy& v2, const Controller& controller) {
    const std::string file = v2.mount_point + "/cgroup.subtree_control";
    if (!enabled_) enabled_ = words(file_text(file));
    if (contains(*enabled_, controller.name)) return;
    try {
      base::write_value(file, std::string("+") + controller.name);
    } catch (const base::Error& error) {
      throw base::Error(std::string("cannot limit ") + controller.limit + ": the controller " + controller.name +
                            " is not enabled in " + file + " and cannot be",
                        error.errno_value(),
                        error.errno_value() == EBUSY
                            ? "that group holds processes itself (trine runs in a container?): move them to a "
                              "group below it first"
                            : "enable it there as root, or delegate it to this user");
    }
    enabled_->emplace_back(controller.name);
  }

  [[noreturn]] void refuse(const Controller& controller) const {
    const std::string where = hierarchies_.layout == Layout::kNone ? "no cgroup hierarchy is mounted"
                              : hierarchies_.layout == Layout::kV1 ? "no mounted cgroup v1 hierarchy has it"
                                                                   : "no mounted cgroup hierarchy has it";
    throw base::Error(std::string("cannot limit ") + controller.limit + ": this machine has no " + controller.name +
                          " controller (" + where + ")",
                      ENOENT, "leave the limit out, or boot the kernel with that controller");
  }

  const Directory& directory(const Hierarchy& hierarchy) {
    for (const auto& entry : directories_) {
      if (entry.hierarchy == &hierarchy) return entry.directory;
    }
    const std::string path = hierarchy.mount_point + "/" + name_;
    if (::mkdir(path.c_str(), 0755) != 0) {
      if (errno != ENOENT) base::throw_errno("cannot make the cgroup " + path);
      base::make_directories(path);
    }
    made_.push_back(path);
    directories_.push_back({&hierarchy, Directory(path)});
    return directories_.back().directory;
  }

  const Hierarchies& hierarchies_;
  std::string name_;
  std::vector<Entry> directories_;
  std::vector<std::string> made_;
  std::optional<std::vector<std::string>> controllers_, enabled_;
  bool keep_ = false;
};

/// Without privilege over the hierarchies a container without limits gets no group.
bool may_make_groups(const Hierarchies& hierarchies) {
  return std::ranges::any_of(hierarchies.all, [](const Hierarchy& hierarchy) {
    return ::access(hierarchy.mount_point.c_str(), W_OK) == 0;
  });
}

}  // namespace

Group create(const Hierarchies& hierarchies, const std::string& name, const Limits& limits) {
  const bool nested = base::in_user_namespace();
  Maker maker(hierarchies, name);
  for (const auto* controller : kControllers) {
    if (!controller->wanted(limits)) continue;
    if (nested && !may_make_groups(hierarchies)) {
      throw base::Error(std::string("cannot limit ") + controller->limit + ": the controller " + controller->name +
                            " is not delegated to this user",
                        EACCES, "run as root, or on cgroup v2 in a delegated group (systemd-run --user --scope "
                                "-p Delegate=yes)");
    }
    maker.apply(*controller, limits);
  }
  if (!limits.unified.empty()) maker.apply_unified(limits.unified);
  // In a user namespace the kernel lets nobody make devices, and those that are bound in are meant to be used.
  if (!limits.devices.empty() && !nested) maker.apply_devices(limits.devices);
  if (!nested) maker.track();
  auto made = maker.release();
  Group group;
  group.directories_ = std::move(made.directories);
  group.v2_ = std::move(made.v2);
  return group;
}

Group open_group(const std::vector<std::string>& directories) {
  Group group;
  for (const auto& directory : directories) {
    if (::access(directory.c_str(), F_OK) == 0) group.directories_.push_back(directory);
  }
  return group;
}

std::optional<int> Group::birth_directory() const {
  return v2_ ? std::optional<int>(v2_.get()) : std::nullopt;
}

void Group::join(pid_t pid, bool born) const {
  for (const auto& directory : directories_) {
    const bool v2 = born && ::access((directory + "/cgroup.type").c_str(), F_OK) == 0;
    if (!v2) base::write_value(directory + "/cgroup.procs", std::to_string(pid));
  }
}

void Group::remove() {
  for (const auto& directory : directories_) {
    if (!remove_directory_tree(directory)) base::throw_errno("cannot remove the cgroup " + directory);
  }
  directories_.clear();
  v2_.reset();
}

}  // namespace trine::cgroups
