#include "vm_jail.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/process.h"
#include "base/unique_fd.h"
#include "isolation/capabilities.h"

namespace trine::runtime::backend {
namespace {

/// Above the ids that hosts give to users and their subordinates. The number of the process that starts the
/// monitor, which is its own as long as the monitor lives, tells those of one host apart.
constexpr uid_t kFirstMonitorId = 0x70000000;

/// Devices that a VM has at most have a few each; connections of the guest are bounded by the monitor.
constexpr std::uint64_t kMostDescriptors = 1024;

/// With shares there is one for each file that the guest knows of.
constexpr std::uint64_t kMostServedFiles = 65536;

/// What the thread that serves the host's directories keeps, and every other gives up: to act for the guest's
/// users. Not CAP_MKNOD, and not CAP_DAC_READ_SEARCH, which opens files by handle, from anywhere.
constexpr std::array kFileServerCapabilities{CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,
                                             CAP_SETGID, CAP_SETUID,       CAP_SETFCAP};

/// A thread for each share, and some more.
constexpr std::int64_t kOtherThreads = 64;
constexpr std::uint64_t kMonitorMemory = 64 << 20;
/// Page tables of host and guest are a 256th of the memory they map, when all pages are small.
constexpr std::uint64_t kMemoryOverhead = 64;

std::uint64_t most_descriptors(const JailedProgram& program) {
  rlimit own{};
  if (!program.serves_files || ::getrlimit(RLIMIT_NOFILE, &own) != 0)
    return kMostDescriptors;
  return std::clamp<std::uint64_t>(own.rlim_max, kMostDescriptors, kMostServedFiles);
}

isolation::Capabilities file_server_capabilities() {
  std::uint64_t mask = 0;
  for (const int number : kFileServerCapabilities)
    mask |= isolation::capability_bit(number);
  return {.bounding = mask, .effective = mask, .inheritable = mask, .permitted = mask, .ambient = mask};
}

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
  process.rlimits = {
      {.resource = RLIMIT_CORE},
      {.resource = RLIMIT_NOFILE, .soft = most_descriptors(program), .hard = most_descriptors(program)}};
  if (base::in_user_namespace()) {
    plan.namespaces.push_back({.type = CLONE_NEWUSER});
    plan.uid_mappings = {{.container_id = 0, .host_id = ::geteuid(), .size = 1}};
    plan.gid_mappings = {{.container_id = 0, .host_id = ::getegid(), .size = 1}};
  } else {
    process.user.uid = process.user.gid = kFirstMonitorId + static_cast<uid_t>(::getpid());
    if (program.serves_files)
      process.capabilities = file_server_capabilities();
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
  if (name.empty())
    return {};
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
