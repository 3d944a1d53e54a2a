#include "init.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <span>

#include "base/error.h"
#include "base/process.h"
#include "exec.h"
#include "reaper.h"
#include "report.h"
#include "steps.h"

namespace trine::isolation {
namespace {

struct Step {
  const char* name;
  void (*run)(Context&);
};

/// The child's life from clone to exec. Order matters; each comment says why a step stands where it does.
constexpr Step kInitSteps[] = {
    {"take the CPUs of the cgroup", reset_affinity},
    {"become root in the user namespace", await_id_mappings},  // all else needs its privileges
    {"join namespaces", join_existing_namespaces},
    {"enter the time namespace", enter_time_namespace},  // through the host's /proc
    {"join a session keyring", join_session_keyring},
    {"detach from the host's mounts", detach_from_host_mounts},  // before the first mount of ours
    {"open the executable", open_executable},  // while the host's /proc/self/exe can be reached
    {"mount the root", mount_root},
    {"mount the file systems", mount_filesystems},  // sysfs enters the network namespace, cgroup its own
    {"make the devices", make_devices},             // after a new /dev is mounted
    {"find the user", resolve_user},                // in the root, while /proc/self/fd is the host's
    {"attach the terminal", attach_terminal},       // on the new devpts, for that user
    {"enter the network namespace", enter_network_namespace},  // when no sysfs has done it
    {"wait for the network interfaces", await_interfaces},     // sysctls may be theirs
    {"enter the cgroups", enter_cgroups},  // when no mount of theirs has done it; hooks may look for them
    {"set the host name", set_host_name},
    {"write the sysctls", write_sysctls},      // before /proc/sys becomes read-only
    {"run the hooks", run_environment_hooks},  // their programs and files are the host's
    {"enter the root", enter_root},
    {"hide paths", hide_paths},  // after the pivot: they are then the container's own
    {"make the working directory", make_working_directory},  // in a root that will be read-only, too
    {"seal the root", seal_root},                            // after the last file is made in it
    {"set the security labels", set_security_labels},  // for the program; the container's /proc is at hand
    {"enter the working directory", enter_working_directory},
    {"wait for the caller", await_record},  // a program that runs can be found and ended by its record
    {"look for the program", check_program},
    {"wait to be started", await_start},
    {"call a courier for the seccomp listener",
     call_listener_courier},         // before it would get a real-time policy
    {"set the limits", set_limits},  // after the last descriptor is opened for set-up
    {"set the memory policy", set_memory_policy},
    {"set the execution domain", set_personality},
    {"set the scheduling",
     set_scheduling},  // late: the set-up is ours, and ends before the program's share begins
    {"take the identity", take_identity},  // ids, capabilities, seccomp: the privileges go last
    {"run the hooks", run_start_hooks},    // with no more rights than the program
};

/// The shorter life of a process that joins a container: there is nothing to make.
constexpr Step kJoinSteps[] = {
    {"set the CPUs", set_final_affinity},      // the cgroup is joined
    {"set the OOM score", set_oom_score},      // through the host's /proc
    {"open the executable", open_executable},  // while the host's /proc/self/exe can be reached
    {"enter the container", enter_container},  // all its namespaces at once
    {"join a session keyring", join_session_keyring},
    {"find the user", resolve_user},
    {"attach the terminal", attach_joined_terminal},
    {"set the security labels", set_security_labels},
    {"enter the working directory", enter_working_directory},
    {"wait for the caller", await_record},
    {"call a courier for the seccomp listener", call_listener_courier},
    {"set the limits", set_limits},
    {"set the memory policy", set_memory_policy},
    {"set the execution domain", set_personality},
    {"set the scheduling", set_scheduling},
    {"take the identity", take_identity},
};

/// exec keeps what is ignored and what is blocked; a program expects neither.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    if (number == SIGKILL || number == SIGSTOP)
      continue;
    struct sigaction action{};
    // Fails for the two that the C library keeps for itself, which nobody has ignored.
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_IGN)
      continue;
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void run_steps(Context& context, std::span<const Step> steps) {
  const StartHooks& hooks = context.hooks;
  // The container ends with its caller, also when that is killed; one that is to outlive it, while it is
  // made.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (hooks.in_child)
    hooks.in_child();
  reset_signals();
  // What the caller inherited from its own caller is not for the container, but for what it asked to be. Now,
  // for a seccomp profile may not know this call; what is opened later has the flag from the start.
  ::syscall(SYS_close_range, 3 + context.plan.process.preserved_descriptors, ~0U, CLOSE_RANGE_CLOEXEC);
  ::setsid();  // a terminal of the caller is not the container's to control
  context.in_user_namespace = context.has_new(CLONE_NEWUSER) || base::in_user_namespace();
  if (context.network_entered && hooks.in_network_namespace)
    hooks.in_network_namespace();
  for (const auto& step : steps) {
    try {
      step.run(context);
    } catch (const base::Error&) {
      throw;
    } catch (const ExecFailure&) {
      throw;
    } catch (const std::exception& error) {
      throw base::Error(std::string("cannot ") + step.name + ": " + error.what());
    }
  }
  // The identity's change has cleared it.
  ::prctl(PR_SET_PDEATHSIG, hooks.outlive_caller ? 0 : SIGKILL);
}

[[noreturn]] void execute_or_report(const Context& context) {
  try {
    execute_program(context);
  } catch (const ExecFailure& exec) {
    context.channel.send_failure(exec.failure);
  } catch (const base::Error& error) {
    context.channel.send_failure(to_failure(error));
  }
  ::_exit(125);
}

[[noreturn]] void run(Context& context, std::span<const Step> steps) {
  try {
    run_steps(context, steps);
    if (context.plan.process.init)
      run_reaper([&] { execute_or_report(context); }, context.plan.process.terminal, context.channel);
  } catch (const ExecFailure& exec) {
    context.channel.send_failure(exec.failure);
    ::_exit(125);
  } catch (const base::Error& error) {
    context.channel.send_failure(to_failure(error));
    ::_exit(125);
  } catch (const std::exception& error) {
    context.channel.send_failure(
        to_failure(base::Error(std::string("cannot start the container: ") + error.what())));
    ::_exit(125);
  }
  execute_or_report(context);
}

}  // namespace

void run_child(const Plan& plan, const StartHooks& hooks, const BindSources& sources, const Staging* staging,
               std::uint64_t joined, Channel& channel) {
  Context context{.plan = plan,
                  .hooks = hooks,
                  .channel = channel,
                  .bind_sources = &sources,
                  .staging = staging,
                  .joined = joined};
  // A network namespace that a new user namespace is to own is made with it, by clone itself.
  context.network_entered = context.has_new(CLONE_NEWUSER) && context.has_new(CLONE_NEWNET);
  run(context, kInitSteps);
}

void run_joining_child(const Plan& plan, const JoinPlan& join, const StartHooks& hooks, Channel& channel) {
  Context context{.plan = plan, .hooks = hooks, .channel = channel, .joins = &join};
  run(context, kJoinSteps);
}

}  // namespace trine::isolation
