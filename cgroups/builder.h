#pragma once

#include <string>
#include <vector>

#include "cgroups/group.h"
#include "directory.h"
#include "plan.h"

namespace trine::cgroups {

/// Makes the directories of a group one by one, and removes them again unless it is finished.
class Builder {
 public:
  explicit Builder(const std::vector<std::string>& name) : name_(name) {}
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
  std::vector<std::string> made_;
  Group group_;
};

/// Lets the groups below `directory` have the controllers of `needs` (cgroup.subtree_control), and with `all`
/// any other that can be given. Throws Error naming the limit, the controller and the cause when one of
/// `needs` cannot be.
void give_controllers(const std::string& directory, const std::vector<Need>& needs, bool all);

}  // namespace trine::cgroups
