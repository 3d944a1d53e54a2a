#pragma once

#include <string>
#include <vector>

#include "cgroups/group.h"
#include "directory.h"
#include "plan.h"

namespace trine::cgroups {

/// What is done about a group of the same name that has processes in it.
enum class Occupied { kRefuse, kShare };

/// Makes the directories of a group one by one, and removes them again unless it is finished.
class Builder {
 public:
  explicit Builder(const std::vector<std::string>& name, Occupied occupied = Occupied::kRefuse)
      : name_(name), occupied_(occupied) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  ~Builder();

  /// Makes the directory, gives it the controllers that it needs (v2), and opens it. The reference is good
  /// until the next call. Throws Error.
  const Directory& make(const Place& place);

  Group finish() &&;

 private:
  std::string make_v1(const std::string& base);
  std::string make_v2(const Place& place);
  void make_one(const std::string& path, bool last);

  const std::vector<std::string>& name_;
  Occupied occupied_;
  std::vector<std::string> made_;
  Group group_;
};

/// Makes the group that was planned, and writes its limits. `name` is a path's components. Throws Error, and
/// removes what it made before.
Group build(const Plan& plan, const std::vector<std::string>& name, const Limits& limits, Occupied occupied);

/// Lets the groups below `directory` have the controllers of `needs` (cgroup.subtree_control), and with `all`
/// any other that can be given. Throws Error naming the limit, the controller and the cause when one of
/// `needs` cannot be.
void give_controllers(const std::string& directory, const std::vector<Need>& needs, bool all);

}  // namespace trine::cgroups
