// Coverage::kEverywhere: where an engine looks for a container, there it is.
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cgroups/group.h"
#include "detect.h"
#include "in_group.h"
#include "plan.h"

using namespace trine;
using namespace trine::cgroups;

namespace {

/// A group below two new ones, all of which are removed at the end.
class NestedGroup {
 public:
  NestedGroup() : top_(unique_name()), group_(create(detect(), name(), {}, Coverage::kEverywhere)) {}
  NestedGroup(const NestedGroup&) = delete;
  NestedGroup& operator=(const NestedGroup&) = delete;
  ~NestedGroup() {
    try {
      group_.remove();
    } catch (const base::Error& error) {
      WARN(error.what());
    }
    for (const auto& hierarchy : detect().all) {
      ::rmdir((hierarchy.mount_point + "/" + top_ + "/middle").c_str());
      ::rmdir((hierarchy.mount_point + "/" + top_).c_str());
    }
  }
  Group* operator->() { return &group_; }
  Group& operator*() { return group_; }
  [[nodiscard]] std::string name() const { return top_ + "/middle/leaf"; }

 private:
  std::string top_;
  Group group_;
};

std::string text_of(const std::string& path) {
  return std::string(base::trim(base::read_file(path)));
}

const Hierarchies kPure{.layout = Layout::kV2,
                        .all = {{.mount_point = "/sys/fs/cgroup", .controllers = {}, .v2 = true}}};

}  // namespace

TEST_CASE("a process of a group that is everywhere has the group's path in every line of its cgroup file") {
  REQUIRE_GROUPS();
  NestedGroup group;
  CHECK(group->directories().size() == detect().all.size());
  const int outside = run_in(*group, [&] {
    int others = 0;
    for (const auto& line :
         base::split(base::read_file("/proc/self/cgroup"), '\n', base::SplitEmpty::kSkip)) {
      others += line.ends_with(":/" + group.name()) ? 0 : 1;
    }
    return others;
  });
  CHECK(outside == 0);
}

TEST_CASE("the cpusets of a group that is everywhere are filled on all levels") {
  REQUIRE_GROUPS();
  const auto machine = detect();
  const auto* const cpuset = find_v1(machine, "cpuset");
  if (cpuset == nullptr) {
    WARN("skipped: the cpuset controller is not on version 1 here");
    return;
  }
  NestedGroup group;
  for (auto path = group.name(); !path.empty(); path = path.substr(0, path.find_last_of('/'))) {
    for (const char* const file : {"/cpuset.cpus", "/cpuset.mems"})
      CHECK(text_of(cpuset->mount_point + "/" + path + file) == text_of(cpuset->mount_point + file));
    if (path.find('/') == std::string::npos)
      break;
  }
}

TEST_CASE("a group that is everywhere has on version 2 whatever the root can give") {
  REQUIRE_GROUPS();
  const auto machine = detect();
  const auto* const v2 = find_v2(machine);
  if (v2 == nullptr) {
    WARN("skipped: no version 2 here");
    return;
  }
  NestedGroup group;
  CHECK(text_of(v2->mount_point + "/" + group.name() + "/cgroup.controllers") ==
        text_of(v2->mount_point + "/cgroup.controllers"));
}

TEST_CASE("a group that is everywhere takes limits as any other, and is removed everywhere") {
  REQUIRE_GROUPS();
  Limits limits;
  limits.pids_max = 17;
  const auto name = unique_name();
  auto group = create(detect(), name, limits, Coverage::kEverywhere);
  CHECK(std::ranges::any_of(group.directories(), [](const std::string& directory) {
    return exists(directory + "/pids.max") && text_of(directory + "/pids.max") == "17";
  }));
  group.remove();
  for (const auto& hierarchy : detect().all)
    CHECK_FALSE(exists(hierarchy.mount_point + "/" + name));
}

TEST_CASE("without root, everywhere is the delegated group, and nowhere without one") {
  const auto plan = plan_without_privilege(kPure, {}, "/sys/fs/cgroup/mine", Coverage::kEverywhere);
  REQUIRE(plan.places.size() == 1);
  CHECK(plan.places[0].base == "/sys/fs/cgroup/mine");
  CHECK(plan.places[0].all_controllers);
  CHECK(plan_without_privilege(kPure, {}, std::nullopt, Coverage::kEverywhere).places.empty());
}

TEST_CASE("a hierarchy is limited only when something was asked of it") {
  Limits limits;
  limits.memory_bytes = 1 << 20;
  const Hierarchies machine{.layout = Layout::kV1,
                            .all = {{.mount_point = "/m", .controllers = {"memory"}, .v2 = false},
                                    {.mount_point = "/s", .controllers = {"name=systemd"}, .v2 = false}}};
  const auto plan = plan_as_root(machine, limits, Coverage::kEverywhere);
  REQUIRE(plan.places.size() == 2);
  CHECK(plan.places[0].limited);
  CHECK_FALSE(plan.places[1].limited);
}
