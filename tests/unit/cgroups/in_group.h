#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "cgroups/group.h"

/// Why this machine cannot make cgroups for the test, or an empty text.
std::string cannot_make_groups();

#define REQUIRE_GROUPS()                                     \
  if (const auto why = cannot_make_groups(); !why.empty()) { \
    WARN("skipped: " << why);                                \
    return;                                                  \
  }

/// Whether the machine has a controller, on either version.
bool has_controller(const std::string& v1_name, const std::string& v2_name);
bool on_v1(const std::string& controller);

#define REQUIRE_CONTROLLER(v1_name, v2_name)                     \
  REQUIRE_GROUPS();                                              \
  if (!has_controller(v1_name, v2_name)) {                       \
    WARN("skipped: this machine has no controller " << v2_name); \
    return;                                                      \
  }

/// Touches that much memory; 0 when it lives.
int use_memory(std::size_t bytes);

/// A name that no other test uses.
std::string unique_name();

/// A group that is emptied and removed at the end of the test, whatever happens in it.
class TestGroup {
 public:
  explicit TestGroup(const trine::cgroups::Limits& limits,
                     const trine::cgroups::Hierarchies& hierarchies = trine::cgroups::detect());
  TestGroup(const TestGroup&) = delete;
  TestGroup& operator=(const TestGroup&) = delete;
  ~TestGroup();

  trine::cgroups::Group& operator*() { return group_; }
  trine::cgroups::Group* operator->() { return &group_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// A control file of the group, in whichever hierarchy has it; its text without the last newline.
  [[nodiscard]] std::string file(const std::string& name) const;

 private:
  std::string name_;
  trine::cgroups::Group group_;
};

/// A control file of a group, in whichever hierarchy has it; its text without the last newline.
std::string read_group_file(const trine::cgroups::Group& group, const std::string& name);

/// Starts a child that is in the group (born there on v2) before it does `work`; the child ends with what
/// that returns. 99: it could not join.
pid_t start_in(const trine::cgroups::Group& group, const std::function<int()>& work);

/// Its exit code, or 128 and its signal.
int wait_for(pid_t pid);

inline int run_in(const trine::cgroups::Group& group, const std::function<int()>& work) {
  return wait_for(start_in(group, work));
}

bool exists(const std::string& path);

/// Whether `pid` has ended, without reaping it.
bool has_ended(pid_t pid);

/// Waits up to five seconds.
bool eventually(const std::function<bool()>& condition);
