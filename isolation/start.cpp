#include "isolation/start.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <thread>

#include "affinity.h"
#include "base/file.h"
#include "base/log.h"
#include "bind_source.h"
#include "birthplace.h"
#include "channel.h"
#include "init.h"
#include "isolation/resctrl.h"
#include "report.h"
#include "steps.h"
#include "user_namespace.h"

namespace trine::isolation {
namespace {

/// The namespaces that clone makes. A time namespace with offsets is made by the child, before it is in it;
/// the cgroup namespace follows once the child is in its cgroup; the network namespace, the dearest of all,
/// is made beside the child (NetworkMaker), unless another user namespace is to own it. The mount namespace
/// of a staged container is a copy of another than ours.
std::uint64_t clone_flags(const Plan& plan, bool staged) {
  std::uint64_t flags = 0;
  for (const int type : {CLONE_NEWUSER, CLONE_NEWPID}) {
    if (plan.has_new(type))
      flags |= static_cast<std::uint64_t>(type);
  }
  for (const int type : kMadeByClone) {
    if (plan.has_new(type) && !joins_user_namespace(plan) && !(staged && type == CLONE_NEWNS))
      flags |= static_cast<std::uint64_t>(type);
  }
  if (plan.has_new(CLONE_NEWTIME) && plan.time_offsets.empty())
    flags |= CLONE_NEWTIME;
  if (plan.has_new(CLONE_NEWNET) && plan.has_new(CLONE_NEWUSER))
    flags |= CLONE_NEWNET;
  return flags;
}

/// Makes the network namespace on a thread of its own, while the child mounts its file systems: together the
/// two are most of a start.
class NetworkMaker {
 public:
  NetworkMaker(const StartHooks& hooks, const Channel& channel)
      : thread_([this, &hooks, &channel] { run(hooks, channel); }) {}
  ~NetworkMaker() {
    if (thread_.joinable())
      thread_.join();
  }
  NetworkMaker(const NetworkMaker&) = delete;
  NetworkMaker& operator=(const NetworkMaker&) = delete;

  void finish() {
    thread_.join();
    if (failure_)
      std::rethrow_exception(failure_);
  }

 private:
  void run(const StartHooks& hooks, const Channel& channel) {
    try {
      if (::unshare(CLONE_NEWNET) != 0)
        base::throw_errno("cannot make a network namespace");
      if (hooks.in_network_namespace)
        hooks.in_network_namespace();
      const base::UniqueFd fd = base::open_file("/proc/thread-self/ns/net", O_RDONLY);
      channel.send(MessageKind::kNetwork, fd.get());
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses what stands above
};

/// Puts the caller into another pid namespace for the children it makes, and back again.
class PidNamespaceVisit {
 public:
  explicit PidNamespaceVisit(const Plan& plan) {
    for (const auto& entry : plan.namespaces) {
      if (entry.type == CLONE_NEWPID && !entry.path.empty())
        enter(base::open_file(entry.path, O_RDONLY).get(), "the namespace " + entry.path);
    }
  }
  explicit PidNamespaceVisit(const JoinPlan& plan) {
    if ((plan.namespaces & CLONE_NEWPID) != 0)
      enter(plan.pidfd, "the container's pid namespace");
  }
  ~PidNamespaceVisit() {
    if (own_)
      ::setns(own_.get(), CLONE_NEWPID);
  }
  PidNamespaceVisit(const PidNamespaceVisit&) = delete;
  PidNamespaceVisit& operator=(const PidNamespaceVisit&) = delete;

 private:
  void enter(int namespace_or_process, const std::string& name) {
    own_ = base::open_file("/proc/self/ns/pid", O_RDONLY);
    if (::setns(namespace_or_process, CLONE_NEWPID) != 0)
      base::throw_errno("cannot join " + name);
  }

  base::UniqueFd own_;
};

std::function<void(int)> listener_hook(const StartHooks& hooks, pid_t pid) {
  if (!hooks.on_listener)
    return {};
  return [&hooks, pid](int listener) { hooks.on_listener(pid, listener); };
}

void set_clocks(const Plan& plan, pid_t pid) {
  const std::string file = "/proc/" + std::to_string(pid) + "/timens_offsets";
  for (const auto& offset : plan.time_offsets) {
    base::write_value(
        file, offset.clock + " " + std::to_string(offset.seconds) + " " + std::to_string(offset.nanoseconds));
  }
}

/// The mounts whose owners the child asks to have mapped, in its order.
std::vector<const Mount*> mapped_on_demand(const Plan& plan) {
  std::vector<const Mount*> mounts;
  for (const auto& mount : plan.mounts) {
    if (mount.bind && mount.idmap && !mount.source_in_root.empty() && !mount.remount && !mount.seal_only)
      mounts.push_back(&mount);
  }
  return mounts;
}

/// Does what is ours while the child waits: the clocks of its time namespace, interfaces for its network,
/// hooks once it has made everything. Returns the terminal, if it has come by then.
base::UniqueFd accompany_waits(const Plan& plan, const StartHooks& hooks, const Channel& channel, pid_t pid) {
  base::UniqueFd terminal;
  const std::vector<const Mount*> unmapped = mapped_on_demand(plan);
  auto next_unmapped = unmapped.begin();
  std::size_t waits = (plan.time_offsets.empty() ? 0U : 1U) + (hooks.on_network ? 1U : 0U) +
                      (hooks.on_environment ? 1U : 0U) + unmapped.size();
  while (waits > 0) {
    auto message = channel.receive();
    if (!message)
      break;
    switch (message->kind) {
      case MessageKind::kError:
        rethrow(message->failure);
      case MessageKind::kTerminal:
        terminal = std::move(message->fd);
        break;
      case MessageKind::kTimeMade:
        set_clocks(plan, pid);
        channel.send(MessageKind::kTimeSet);
        --waits;
        break;
      case MessageKind::kUnmapped:
        if (next_unmapped == unmapped.end())
          throw base::Error("the container's first process has one mount too many");
        map_owners(message->fd.get(), plan, **next_unmapped++);
        channel.send(MessageKind::kOwnersMapped);
        --waits;
        break;
      case MessageKind::kInNetwork:
        hooks.on_network(pid);
        channel.send(MessageKind::kConnected);
        --waits;
        break;
      case MessageKind::kReady:
        hooks.on_environment(pid);
        channel.send(MessageKind::kHooked);
        --waits;
        break;
      default:
        break;
    }
  }
  return terminal;
}

/// The container's class of resctrl, as long as its process is not there to stay.
class ResctrlGuard {
 public:
  ResctrlGuard(const std::optional<Resctrl>& group, pid_t pid) {
    if (!group)
      return;
    root_ = find_resctrl();
    make_resctrl_group(root_, *group);
    group_ = &*group;
    join_resctrl_group(root_, *group, pid);
  }
  ~ResctrlGuard() {
    if (group_ == nullptr)
      return;
    try {
      remove_resctrl_group(root_, *group_);
    } catch (const base::Error& error) {
      base::print_warning(error.what());
    }
  }
  ResctrlGuard(const ResctrlGuard&) = delete;
  ResctrlGuard& operator=(const ResctrlGuard&) = delete;
  void keep() { group_ = nullptr; }

 private:
  std::string root_;
  const Resctrl* group_ = nullptr;
};

void make_cgroups(const StartHooks& hooks, const Channel& channel) {
  if (!hooks.make_cgroups)
    return;
  for (const auto& file : hooks.make_cgroups())
    channel.send(MessageKind::kCgroup, file.get());
  channel.send(MessageKind::kCgroups);
}

/// The caller's part, beside the child's.
base::UniqueFd accompany(const Plan& plan, const StartHooks& hooks, const Channel& channel, pid_t pid) {
  ResctrlGuard resctrl(plan.resctrl, pid);
  std::optional<NetworkMaker> network;
  // Ours to do: a child in a new user namespace can neither lower it nor open the file.
  if (plan.process.oom_score_adj)
    base::write_value("/proc/" + std::to_string(pid) + "/oom_score_adj",
                      std::to_string(*plan.process.oom_score_adj));
  if (plan.has_new(CLONE_NEWUSER)) {
    write_id_mappings(pid, plan.uid_mappings, plan.gid_mappings);
    channel.send(MessageKind::kMapped);
  } else if (plan.has_new(CLONE_NEWNET) && !joins_user_namespace(plan)) {
    network.emplace(hooks, channel);
  }
  make_cgroups(hooks, channel);
  if (hooks.on_created)
    hooks.on_created(pid);
  channel.send(MessageKind::kRecorded);
  if (network)
    network->finish();
  base::UniqueFd terminal = accompany_waits(plan, hooks, channel, pid);
  base::UniqueFd later =
      await_exec(channel, listener_hook(hooks, pid), hooks.gate >= 0 ? Until::kGate : Until::kExec);
  resctrl.keep();
  return later ? std::move(later) : std::move(terminal);
}

/// What start() and join() share once the child is there: `accompany_child` returns its terminal.
Started accompany_to_exec(base::Process process, const Channel& channel,
                          const std::function<base::UniqueFd(pid_t)>& accompany_child) {
  try {
    base::UniqueFd terminal = accompany_child(process.pid());
    return {.process = std::move(process), .terminal = std::move(terminal)};
  } catch (...) {
    process.signal(SIGKILL);
    process.wait();
    // When the child failed first, what failed here is only the consequence.
    await_exec(channel, [](int) {});
    throw;
  }
}

}  // namespace

Started start(const Plan& plan, const StartHooks& hooks) {
  const std::optional<Staging> staging = prepare_staging(plan, hooks);
  const BindSources sources = take_bind_sources(plan, staging.has_value());
  ChannelPair channel = make_channel();
  base::Process process;
  {
    const PidNamespaceVisit visit(plan);
    const base::CloneOptions options{.flags = clone_flags(plan, staging.has_value()), .cgroup = hooks.cgroup};
    std::uint64_t joined = 0;
    process = plan.has_new(CLONE_NEWPID) && joins_user_namespace(plan)
                  ? clone_in_user_namespace(plan, options, channel, joined)
                  : base::clone_process(options);
    if (!process) {
      channel.caller.close();
      run_child(plan, hooks, sources, staging ? &*staging : nullptr, joined, channel.child);
    }
  }
  channel.child.close();
  return accompany_to_exec(std::move(process), channel.caller,
                           [&](pid_t pid) { return accompany(plan, hooks, channel.caller, pid); });
}

Started join(const JoinPlan& join, const StartHooks& hooks) {
  Plan plan;
  plan.process = join.process;
  plan.seccomp = join.seccomp;
  ChannelPair channel = make_channel();
  base::Process process;
  {
    const PidNamespaceVisit visit(join);
    const AffinityVisit cpus(join.process.initial_cpus);
    process = base::clone_process({.flags = 0, .cgroup = hooks.cgroup});
    if (!process) {
      channel.caller.close();
      run_joining_child(plan, join, hooks, channel.child);
    }
  }
  channel.child.close();
  return accompany_to_exec(std::move(process), channel.caller, [&](pid_t pid) {
    if (join.resctrl)
      join_resctrl_group(find_resctrl(), *join.resctrl, pid);
    if (hooks.on_created)
      hooks.on_created(pid);
    channel.caller.send(MessageKind::kRecorded);
    return await_exec(channel.caller, listener_hook(hooks, pid));
  });
}

}  // namespace trine::isolation
