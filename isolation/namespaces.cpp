#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "birthplace.h"
#include "exec.h"
#include "steps.h"

namespace trine::isolation {
namespace {

const Namespace* find(const Plan& plan, int type) {
  for (const auto& entry : plan.namespaces) {
    if (entry.type == type)
      return &entry;
  }
  return nullptr;
}

/// Whether `fd` is a mount namespace that the host lives in: its first process's or the one that this
/// process, which has its caller's until it joins or makes another, is in.
bool is_mount_namespace_of_host(int fd) {
  struct stat given{};
  if (::fstat(fd, &given) != 0)
    base::throw_errno("cannot read the mount namespace");
  for (const char* path : {"/proc/self/ns/mnt", "/proc/1/ns/mnt"}) {
    struct stat host{};
    // That of the first process may be hidden from an ordinary user, who cannot join it either.
    if (::stat(path, &host) == 0 && given.st_dev == host.st_dev && given.st_ino == host.st_ino)
      return true;
  }
  return false;
}

/// Of one that was there before: joins it, if the process that made this one has not, and makes what it is to
/// own.
void become_root_of_user_namespace(Context& context) {
  if (context.joined == 0)
    context.joined = join_user_namespace(context.plan);
  context.in_user_namespace = base::in_user_namespace();
  if ((::setgroups(0, nullptr) != 0 && errno != EPERM) || ::setresgid(0, 0, 0) != 0 ||
      ::setresuid(0, 0, 0) != 0)
    base::throw_errno("cannot become root in the user namespace");
  int owned = 0;
  for (const int made : kMadeByClone)
    owned |= context.has_new(made) ? made : 0;
  if (context.has_new(CLONE_NEWNET))
    owned |= CLONE_NEWNET;
  if (::unshare(owned) != 0)
    base::throw_errno("cannot make the namespaces of the user namespace");
  context.network_entered = context.has_new(CLONE_NEWNET);
  if (context.network_entered && context.hooks.in_network_namespace)
    context.hooks.in_network_namespace();
}

}  // namespace

void receive_one(Context& context) {
  auto message = context.channel.receive();
  // The caller is gone, killed perhaps: nobody waits for this container any more.
  if (!message)
    ::_exit(1);
  switch (message->kind) {
    case MessageKind::kRecorded:
      context.recorded = true;
      break;
    case MessageKind::kHooked:
      context.hooked = true;
      break;
    case MessageKind::kOwnersMapped:
      context.owners_mapped = true;
      break;
    case MessageKind::kTimeSet:
      context.time_set = true;
      break;
    case MessageKind::kConnected:
      context.connected = true;
      break;
    case MessageKind::kNetwork:
      context.network = std::move(message->fd);
      break;
    case MessageKind::kCgroup:
      context.hooks.join_cgroup(message->fd.get());
      break;
    case MessageKind::kCgroups:
      context.in_cgroups = true;
      break;
    default:
      throw base::Error("cannot start the container: an unexpected message came from its caller");
  }
}

bool Context::has_new(int type) const {
  return plan.has_new(type);
}

void await_id_mappings(Context& context) {
  if (!context.has_new(CLONE_NEWUSER))
    return;
  const auto message = context.channel.receive();
  if (!message)
    ::_exit(1);
  // Until now every id of ours reads as "nobody"; become the root of the new user namespace.
  // A namespace of one mapped id may not change its groups (user_namespaces(7), /proc/PID/setgroups).
  const bool keep_groups = context.plan.process.user.keep_groups;
  if ((!keep_groups && ::setgroups(0, nullptr) != 0 && errno != EPERM) || ::setresgid(0, 0, 0) != 0 ||
      ::setresuid(0, 0, 0) != 0) {
    base::throw_errno("cannot become root in the new user namespace",
                      "map a host id to id 0 of the container");
  }
}

void join_existing_namespaces(Context& context) {
  // The user namespace gives the privileges that joining the others takes. The pid namespace was entered by
  // the caller, for it applies to children only.
  if (joins_user_namespace(context.plan))
    become_root_of_user_namespace(context);
  for (const int type :
       {CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNET, CLONE_NEWTIME, CLONE_NEWCGROUP, CLONE_NEWNS}) {
    const Namespace* entry = find(context.plan, type);
    if (entry == nullptr || entry->path.empty() || (context.joined & static_cast<std::uint64_t>(type)) != 0)
      continue;
    const base::UniqueFd fd = base::open_file(entry->path, O_RDONLY);
    // The container's root would take the place of the host's.
    if (type == CLONE_NEWNS && is_mount_namespace_of_host(fd.get())) {
      throw base::Error("cannot join the mount namespace " + entry->path + ": it is the host's own", 0,
                        "leave out the path for a new one");
    }
    if (::setns(fd.get(), type) != 0)
      base::throw_errno("cannot join the namespace " + entry->path);
  }
}

void enter_network_namespace(Context& context) {
  if (!context.has_new(CLONE_NEWNET) || context.network_entered)
    return;
  context.network_entered = true;
  while (!context.network)
    receive_one(context);
  if (::setns(context.network.get(), CLONE_NEWNET) != 0) {
    base::throw_errno("cannot enter the new network namespace");
  }
  context.network.reset();
}

void await_interfaces(Context& context) {
  if (!context.hooks.on_network)
    return;
  context.channel.send(MessageKind::kInNetwork);
  while (!context.connected)
    receive_one(context);
}

void enter_cgroups(Context& context) {
  if (context.cgroups_entered)
    return;
  context.cgroups_entered = true;
  while (context.hooks.make_cgroups && !context.in_cgroups)
    receive_one(context);
  // Its root is the cgroup that its maker is in.
  if (context.has_new(CLONE_NEWCGROUP) && ::unshare(CLONE_NEWCGROUP) != 0) {
    base::throw_errno("cannot make a cgroup namespace");
  }
}

void await_record(Context& context) {
  while (!context.recorded)
    receive_one(context);
}

void run_environment_hooks(Context& context) {
  const StartHooks& hooks = context.hooks;
  if (hooks.on_environment) {
    context.channel.send(MessageKind::kReady);
    while (!context.hooked)
      receive_one(context);
  }
  if (!hooks.create_container_hooks.empty())
    run_hooks("createContainer", hooks.create_container_hooks, hooks.hook_state("creating", ::getpid()));
}

void run_start_hooks(Context& context) {
  const StartHooks& hooks = context.hooks;
  if (hooks.start_container_hooks.empty())
    return;
  std::vector<Hook> own = hooks.start_container_hooks;
  for (auto& hook : own) {
    if (!hook.env)
      hook.env = program_environment(context);
  }
  run_hooks("startContainer", own, hooks.hook_state("created", ::getpid()));
}

}  // namespace trine::isolation
