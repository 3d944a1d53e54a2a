#include "vm_jail.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process.h"
#include "base/unique_fd.h"

namespace trine::runtime::backend {
namespace {

/// Above the ids that hosts give to users and their subordinates. The number of the process that starts the
/// monitor, which is its own as long as the monitor lives, tells those of one host apart.
constexpr uid_t kFirstMonitorId = 0x70000000;

/// Devices that a VM has at most have a few each; connections of the guest are bounded by the monitor.
constexpr std::uint64_t kMostDescriptors = 1024;

constexpr std::int64_t kOtherThreads = 32;
constexpr std::uint64_t kMonitorMemory = 64 << 20;
/// Page tables of host and guest are a 256th of the memory they map, when all pages are small.
constexpr std::uint64_t kMemoryOverhead = 64;

isolation::Plan plan_of(const JailedProgram& program) {
  isolation::Plan plan;
  for (const int type :
       {CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP})
    plan.namespaces.push_back({.type = type});
  plan.root = {.source = isolation::EmptyRoot{}, .read_only = true};
  isolation::Process& process = plan.process;
  process.args = program.words;
  process.env = {"HOME=/"};
  process.no_new_privileges = true;
  process.rlimits = {{.resource = RLIMIT_CORE},
                     {.resource = RLIMIT_NOFILE, .soft = kMostDescriptors, .hard = kMostDescriptors}};
  if (base::in_user_namespace()) {
    plan.namespaces.push_back({.type = CLONE_NEWUSER});
    plan.uid_mappings = {{.container_id = 0, .host_id = ::geteuid(), .size = 1}};
    plan.gid_mappings = {{.container_id = 0, .host_id = ::getegid(), .size = 1}};
  } else {
    process.user.uid = process.user.gid = kFirstMonitorId + static_cast<uid_t>(::getpid());
  }
  return plan;
}

/// The caller's input and output are the workload's.
void leave_standard_streams() {
  const base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null || ::dup2(null.get(), STDIN_FILENO) < 0 || ::dup2(null.get(), STDOUT_FILENO) < 0)
    base::throw_errno("cannot open /dev/null for the monitor");
}

}  // namespace

isolation::Started start_jailed(const JailedProgram& program, const cgroups::Group& group,
                                const std::function<void(pid_t)>& on_created) {
  const auto birth = group.birth_directory();
  isolation::StartHooks hooks;
  hooks.cgroup = birth;
  hooks.on_created = on_created;
  hooks.in_child = [&] {
    group.join_self(birth.has_value());
    leave_standard_streams();
  };
  hooks.executable = program.executable;
  hooks.kept_descriptors = program.kept_descriptors;
  try {
    return isolation::start(plan_of(program), hooks);
  } catch (const isolation::ExecError& error) {
    // Not the workload's program, whose exit codes this type stands for.
    throw base::Error(error.message(), error.errno_value(), error.hint());
  }
}

cgroups::Limits monitor_limits(std::uint64_t memory_bytes, unsigned cpus) {
  cgroups::Limits limits;
  limits.memory_bytes =
      static_cast<std::int64_t>(memory_bytes + (memory_bytes / kMemoryOverhead) + kMonitorMemory);
  limits.pids_max = static_cast<std::int64_t>(cpus) + kOtherThreads;
  return limits;
}

cgroups::Group make_monitor_group(const std::string& name, const cgroups::Limits& limits) {
  const cgroups::Hierarchies hierarchies = cgroups::detect();
  if (!base::in_user_namespace())
    return cgroups::create(hierarchies, name, limits);
  try {
    return cgroups::create(hierarchies, name, limits);
  } catch (const base::Error&) {
    return {};  // nothing is delegated to this user
  }
}

}  // namespace trine::runtime::backend
