#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/unique_fd.h"
#include "cgroups/group.h"
#include "isolation/start.h"
#include "runtime/backend/joined_process.h"
#include "runtime/backend/plan.h"

namespace trine::runtime::backend {

/// What start_container() needs beside the plan.
struct ContainerOptions : isolation::HookPoints {
  std::string cgroup_name;  ///< of the group in each hierarchy that is used: "trine-<id>"
  cgroups::Coverage cgroup_coverage = cgroups::Coverage::kWhereLimited;
  /// Makes the group in another way than cgroups::create() does, without the two above: a systemd scope.
  std::function<cgroups::Group(const cgroups::Hierarchies&, const cgroups::Limits&)> make_group;
  std::string seccomp_cache;  ///< directory of compiled filters
  bool loopback_up = true;    ///< in a new network namespace
  /// The first process exists, in its cgroups, and waits: the moment to write its record.
  std::function<void(pid_t, const cgroups::Group&)> on_created;
  /// In the child: let go of the caller's locks.
  std::function<void()> in_child;
  int gate = -1;                ///< see isolation::StartHooks
  bool outlive_caller = false;  ///< see isolation::StartHooks
};

/// A container whose program runs. finish() must be called once it has ended; a destructor that has to clean
/// up kills it first.
class Container {
 public:
  Container(isolation::Started started, cgroups::Group group, bool private_processes);
  Container(Container&&) = default;
  Container& operator=(Container&&) = delete;
  ~Container();

  [[nodiscard]] base::Process& process() { return started_.process; }
  [[nodiscard]] base::UniqueFd take_terminal() { return std::move(started_.terminal); }

  /// Group::directories()
  [[nodiscard]] std::vector<std::string> cgroups() const { return group_.directories(); }

  /// Ends what only the making of its group needed: see cgroups::Group::settle().
  void settle() { group_.settle(); }

  /// After the first process was waited for: ends what is left in the cgroup and removes it.
  struct End {
    bool oom_killed = false;
  };
  End finish();

  /// Leaves the container to itself: whoever has its record looks after it from here on.
  void detach() { finished_ = true; }

 private:
  isolation::Started started_;
  cgroups::Group group_;
  bool private_processes_ = true;
  bool finished_ = false;
};

/// Makes the cgroups and the process of `plan`. Throws base::Error, isolation::ExecError for the program;
/// nothing is left behind then.
Container start_container(ContainerPlan plan, const ContainerOptions& options);

/// The CLONE_NEW… of the namespaces that a process does not share with us: setns(2) refuses to enter one's
/// own user namespace, and entering the others would be for nothing. Throws Error when the process is gone.
std::uint64_t foreign_namespaces(pid_t pid);

/// A process beside those of a container that runs.
struct JoinOptions {
  pid_t pid = -1;                    ///< the container's first process
  int pidfd = -1;                    ///< the same
  std::vector<std::string> cgroups;  ///< Group::directories() of its record
  bool outlive_caller = false;
  std::function<void(pid_t)> on_created;
  std::function<void(pid_t, int listener)> on_listener;  ///< see isolation::HookPoints
  std::optional<isolation::Resctrl> resctrl;             ///< the container's class
};

/// The process in the container. Throws as start_container() does.
isolation::Started join_container(JoinedProcess process, const JoinOptions& options);

}  // namespace trine::runtime::backend
