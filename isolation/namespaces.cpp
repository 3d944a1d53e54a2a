#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
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
    case MessageKind::kTimeSet:
      context.time_set = true;
      break;
    case MessageKind::kConnected:
      context.connected = true;
      break;
    case MessageKind::kNetwork:
      context.network = std::move(message->fd);
      break;
    default:
      throw base::Error("cannot start the container: an unexpected message came from its caller");
  }
}

bool Context::has_new(int type) const {
  const Namespace* entry = find(plan, type);
  return entry != nullptr && entry->path.empty();
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
  // The user namespace first: it gives the privileges that joining the others takes. The pid namespace was
  // entered by the caller, for it applies to children only.
  constexpr int kOrder[] = {CLONE_NEWUSER, CLONE_NEWIPC,    CLONE_NEWUTS, CLONE_NEWNET,
                            CLONE_NEWTIME, CLONE_NEWCGROUP, CLONE_NEWNS};
  for (const int type : kOrder) {
    const Namespace* entry = find(context.plan, type);
    if (entry == nullptr || entry->path.empty())
      continue;
    const base::UniqueFd fd = base::open_file(entry->path, O_RDONLY);
    // The container's root would take the place of the host's.
    if (type == CLONE_NEWNS && is_mount_namespace_of_host(fd.get())) {
      throw base::Error("cannot join the mount namespace " + entry->path + ": it is the host's own", 0,
                        "leave out the path for a new one");
    }
    if (::setns(fd.get(), type) != 0)
      base::throw_errno("cannot join the namespace " + entry->path);
    if (type == CLONE_NEWUSER && ::setresuid(0, 0, 0) != 0) {
      base::throw_errno("cannot become root in the user namespace " + entry->path);
    }
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

void enter_cgroup_namespace(Context& context) {
  // Its root is the cgroup that its maker is in: the child has joined its own before all else.
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
    run_hooks(hooks.create_container_hooks, hooks.hook_state("creating", ::getpid()));
}

void run_start_hooks(Context& context) {
  const StartHooks& hooks = context.hooks;
  if (!hooks.start_container_hooks.empty())
    run_hooks(hooks.start_container_hooks, hooks.hook_state("created", ::getpid()));
}

}  // namespace trine::isolation
