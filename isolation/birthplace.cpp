#include "birthplace.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/pipe.h"
#include "report.h"

namespace trine::isolation {
namespace {

const Namespace* find_joined(const Plan& plan, int type) {
  const auto entry = std::ranges::find(plan.namespaces, type, &Namespace::type);
  return entry == plan.namespaces.end() || entry->path.empty() ? nullptr : &*entry;
}

bool is_own_user_namespace(int fd) {
  struct stat given{};
  struct stat own{};
  return ::fstat(fd, &given) == 0 && ::stat("/proc/self/ns/user", &own) == 0 && given.st_dev == own.st_dev &&
         given.st_ino == own.st_ino;
}

/// A sibling of the process that calls this; -1 with errno, 0 in the sibling.
pid_t clone_sibling(const base::CloneOptions& options) {
  clone_args arguments{};
  // The signal of its end is that of the caller's.
  arguments.flags = options.flags | CLONE_PARENT;
  if (options.cgroup) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(*options.cgroup);
  }
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

}  // namespace

bool joins_user_namespace(const Plan& plan) {
  return find_joined(plan, CLONE_NEWUSER) != nullptr;
}

std::uint64_t join_user_namespace(const Plan& plan) {
  const Namespace* user = find_joined(plan, CLONE_NEWUSER);
  if (user == nullptr)
    return 0;
  std::uint64_t joined = CLONE_NEWUSER;
  for (const int type : {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWCGROUP}) {
    const Namespace* entry = find_joined(plan, type);
    // What this user may not enter, root of the user namespace perhaps may.
    if (entry != nullptr && ::setns(base::open_file(entry->path, O_RDONLY).get(), type) == 0)
      joined |= static_cast<std::uint64_t>(type);
  }
  const base::UniqueFd fd = base::open_file(user->path, O_RDONLY);
  // A rootless engine's containers name the one that it is in itself, which nobody can join again.
  if (is_own_user_namespace(fd.get()))
    return joined;
  // Who is in there may be of rights enough to trace us, who hold descriptors of the host's (CVE-2016-9962).
  // exec takes it back.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    base::throw_errno("cannot hide from the user namespace");
  if (::setns(fd.get(), CLONE_NEWUSER) != 0)
    base::throw_errno("cannot join the namespace " + user->path);
  return joined;
}

base::Process clone_in_user_namespace(const Plan& plan, const base::CloneOptions& options,
                                      const ChannelPair& channel, std::uint64_t& joined) {
  auto [reader, writer] = base::make_pipe();
  base::Process midwife = base::clone_process({});
  if (!midwife) {
    try {
      joined = join_user_namespace(plan);
      const pid_t child = clone_sibling(options);
      if (child == 0)
        return {};
      if (child < 0)
        base::throw_errno("cannot make a process in the user namespace");
      base::write_all(writer.get(), {reinterpret_cast<const char*>(&child), sizeof child},
                      "a process number");
    } catch (const base::Error& error) {
      channel.child.send_failure(to_failure(error));
    }
    ::_exit(0);
  }
  writer.reset();
  pid_t child = -1;
  const bool made = ::read(reader.get(), &child, sizeof child) == sizeof child;
  midwife.wait();
  if (!made) {
    const auto message = channel.caller.receive();
    if (message && message->kind == MessageKind::kError)
      rethrow(message->failure);
    throw base::Error("cannot make a process in the user namespace");
  }
  base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!pidfd)
    base::throw_errno("cannot open the process " + std::to_string(child));
  return {child, std::move(pidfd)};
}

}  // namespace trine::isolation
