#include "runtime/engine/exec.h"

#include <grp.h>
#include <sched.h>
#include <unistd.h>

#include "base/error.h"
#include "exec_process.h"
#include "isolation/rootless.h"
#include "layout.h"
#include "own_streams.h"
#include "pause.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/container.h"
#include "runtime/backend/vm_exec.h"
#include "runtime/engine/class_choice.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

/// An ordinary user's instance lives in a user namespace that its trine made. A pid namespace may only be
/// entered by who is root both where it belongs to and where he stands: so we become root there first.
void enter_user_namespace_of(const RunningInstance& instance) {
  if (::setns(instance.process.get(), CLONE_NEWUSER) != 0 || ::setresgid(0, 0, 0) != 0 ||
      ::setresuid(0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0)
    base::throw_errno("cannot become root in the user namespace of " + instance.record.name);
}

isolation::Started join(const RunningInstance& instance, backend::JoinedProcess process) {
  return backend::join_container(std::move(process), {.pid = instance.record.pid,
                                                      .pidfd = instance.process.get(),
                                                      .cgroups = instance.record.cgroups,
                                                      .outlive_caller = true});
}

int exec_detached(const RunningInstance& instance, backend::JoinedProcess process) {
  isolation::Started started;
  {
    const SilentStreams silence;
    started = join(instance, std::move(process));
  }
  if (started.terminal)
    leave_terminal_reader(std::move(started.terminal));
  return 0;
}

int exec_in_guest(const RunningInstance& instance, const Paths& paths, const ExecOptions& options,
                  backend::JoinedProcess process) {
  const attach::SignalBlock signals;
  return backend::exec_in_vm({.socket = control_socket(paths, instance.record),
                              .process = std::move(process),
                              .interactive = options.interactive,
                              .detach = options.detach},
                             signals);
}

}  // namespace

int exec(const ExecOptions& options, const Paths& paths) {
  const RunningInstance instance = find_running(paths, options.instance, "exec in");
  if (is_paused(instance.record))
    throw base::Error("cannot exec in " + options.instance + ": it is paused", 0,
                      "let it go on first: trine unpause " + options.instance);
  if (options.privileged)
    check_privileged_exec(paths, instance.record);
  backend::JoinedProcess process = make_exec_process(load_first_process(paths, instance.record), options);
  if (instance.record.isolation == kVmClass)
    return exec_in_guest(instance, paths, options, std::move(process));
  if (isolation::is_rootless())
    enter_user_namespace_of(instance);
  if (options.detach)
    return exec_detached(instance, std::move(process));
  if (!options.interactive && !options.terminal)
    empty_standard_input();
  const attach::SignalBlock signals;
  isolation::Started started = join(instance, std::move(process));
  return attach::attach(started.process, signals,
                        {.terminal = std::move(started.terminal), .interactive = options.interactive})
      .code;
}

}  // namespace trine::runtime::engine
