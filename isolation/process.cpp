#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "isolation/capabilities.h"
#include "isolation/rlimits.h"
#include "seccomp_load.h"
#include "steps.h"

namespace trine::isolation {
namespace {

void set_rlimit(const Rlimit& limit) {
  const rlimit64 value{.rlim_cur = limit.soft, .rlim_max = limit.hard};
  if (::prlimit64(0, static_cast<__rlimit_resource>(limit.resource), &value, nullptr) == 0)
    return;
  const std::string name(rlimit_name(limit.resource));
  base::throw_errno(
      "cannot set " + name + " to " + std::to_string(limit.soft) + ":" + std::to_string(limit.hard),
      errno == EPERM ? "to raise a hard limit takes CAP_SYS_RESOURCE on the host" : "");
}

void take_ids(const User& user) {
  // The system calls themselves: the C library's functions wait for all threads by futex(2), which a filter
  // that is loaded by now may answer in its own way.
  if (!user.keep_groups &&
      ::syscall(SYS_setgroups, user.additional_gids.size(), user.additional_gids.data()) != 0) {
    // A user namespace of a single mapped id may not change its groups; asking for none changes nothing.
    if (errno != EPERM || !user.additional_gids.empty())
      base::throw_errno("cannot set the groups");
  }
  const std::string hint = "the id must be mapped in the user namespace: see /etc/subuid and /etc/subgid";
  if (::syscall(SYS_setresgid, user.gid, user.gid, user.gid) != 0) {
    base::throw_errno("cannot become group " + std::to_string(user.gid), errno == EINVAL ? hint : "");
  }
  if (::syscall(SYS_setresuid, user.uid, user.uid, user.uid) != 0) {
    base::throw_errno("cannot become user " + std::to_string(user.uid), errno == EINVAL ? hint : "");
  }
  ::umask(user.umask.value_or(022));
}

}  // namespace

void join_session_keyring(Context& context) {
  if (context.plan.process.keep_keyring)
    return;
  // Keyrings have no namespace: without one of its own the container would share the caller's keys.
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0)
    return;
  // No keyrings in this kernel, or a seccomp profile around us forbids them: then nothing is shared either.
  if (errno == ENOSYS || errno == EPERM)
    return;
  base::throw_errno("cannot make a session keyring",
                    errno == EDQUOT ? "raise /proc/sys/kernel/keys/maxkeys on the host" : "");
}

void set_oom_score(Context& context) {
  const auto& score = context.plan.process.oom_score_adj;
  if (score)
    base::write_value("/proc/self/oom_score_adj", std::to_string(*score));
}

void make_working_directory(Context& context) {
  const Process& process = context.plan.process;
  if (!process.create_cwd || ::access(process.cwd.c_str(), F_OK) == 0)
    return;
  const base::UniqueFd root = base::open_file("/", O_PATH | O_DIRECTORY);
  const base::UniqueFd made = base::make_directories_in_root(root.get(), process.cwd);
}

void enter_working_directory(Context& context) {
  const Process& process = context.plan.process;
  // Nothing is left to be entered by /proc/self/fd.
  context.root.reset();
  context.proc.reset();
  if (::chdir(process.cwd.c_str()) != 0)
    base::throw_errno("cannot enter the working directory " + process.cwd);
  // A path through /proc/self/fd can lead out of the root; then the kernel does not call it by a path that
  // begins at "/" (CVE-2024-21626).
  std::array<char, PATH_MAX> actual{};
  if (::syscall(SYS_getcwd, actual.data(), actual.size()) < 0 || actual[0] != '/') {
    throw base::Error("cannot enter the working directory " + process.cwd + ": it is outside the root");
  }
}

void set_limits(Context& context) {
  for (const auto& limit : context.plan.process.rlimits)
    set_rlimit(limit);
}

void take_identity(Context& context) {
  const Process& process = context.plan.process;
  drop_bounding(process.capabilities);
  // A filter may be loaded with CAP_SYS_ADMIN or with no_new_privs. With the latter it comes last, so that a
  // profile need not allow the calls in between.
  const bool late = process.no_new_privileges;
  if (context.plan.seccomp && !late)
    load_seccomp(*context.plan.seccomp);
  take_ids(context.user);
  set_capabilities(process.capabilities);
  if (late && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    base::throw_errno("cannot set no_new_privs");
  if (context.plan.seccomp && late)
    load_seccomp(*context.plan.seccomp);
}

}  // namespace trine::isolation
