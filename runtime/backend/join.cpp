#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "runtime/backend/container.h"

namespace trine::runtime::backend {
namespace {

constexpr std::array<std::pair<const char*, int>, 8> kNamespaces{{{"user", CLONE_NEWUSER},
                                                                  {"pid", CLONE_NEWPID},
                                                                  {"mnt", CLONE_NEWNS},
                                                                  {"net", CLONE_NEWNET},
                                                                  {"ipc", CLONE_NEWIPC},
                                                                  {"uts", CLONE_NEWUTS},
                                                                  {"cgroup", CLONE_NEWCGROUP},
                                                                  {"time", CLONE_NEWTIME}}};

}  // namespace

std::uint64_t foreign_namespaces(pid_t pid) {
  std::uint64_t foreign = 0;
  for (const auto& [name, flag] : kNamespaces) {
    struct stat own{};
    struct stat other{};
    const std::string path = std::string("/ns/") + name;
    if (::stat(("/proc/self" + path).c_str(), &own) != 0)
      continue;  // this kernel lacks it
    if (::stat(("/proc/" + std::to_string(pid) + path).c_str(), &other) != 0)
      base::throw_errno("cannot look at the container's namespaces");
    if (own.st_ino != other.st_ino)
      foreign |= static_cast<std::uint64_t>(flag);
  }
  return foreign;
}

isolation::Started join_container(JoinedProcess process, const JoinOptions& options) {
  base::UniqueFd root;
  isolation::JoinPlan plan{.pidfd = options.pidfd,
                           .namespaces = foreign_namespaces(options.pid),
                           .process = std::move(process.process),
                           .seccomp = std::move(process.seccomp),
                           .resctrl = options.resctrl};
  if ((plan.namespaces & CLONE_NEWNS) == 0) {
    root = base::open_file("/proc/" + std::to_string(options.pid) + "/root", O_PATH | O_DIRECTORY);
    plan.root = root.get();
  }
  const cgroups::Group group = cgroups::open_group(options.cgroups);
  const auto birth = group.birth_directory();
  isolation::StartHooks hooks;
  hooks.cgroup = birth;
  hooks.on_created = options.on_created;
  hooks.on_listener = options.on_listener;
  hooks.in_child = [&] { group.join_self(birth.has_value()); };
  hooks.outlive_caller = options.outlive_caller;
  return isolation::join(plan, hooks);
}

}  // namespace trine::runtime::backend
