#include "vm_process.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/process.h"
#include "base/text.h"
#include "cgroups/group.h"
#include "isolation/start.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/recorded_process.h"
#include "runtime/backend/vm_exec.h"
#include "runtime/backend/vm_report.h"
#include "vm_guest.h"
#include "vm_keeper.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr std::size_t kMostBytes = 16 << 20;

/// What a keeper is to start, in the container's state directory until it has read it.
class NotedProcess {
 public:
  NotedProcess(const Container& container, const backend::JoinedProcess& process)
      : directory_(container.directory()), name_("exec." + base::random_hex(8)) {
    base::replace_file(directory_, name_, backend::encode_process(process), base::Durability::kMemory, 0600);
  }
  ~NotedProcess() { ::unlinkat(directory_, name_.c_str(), 0); }
  NotedProcess(const NotedProcess&) = delete;
  NotedProcess& operator=(const NotedProcess&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  int directory_;
  std::string name_;
};

std::string report_name(const std::string& noted) {
  return noted + ".report";
}

int exec_by_keeper(const Globals& globals, const Container& container, const backend::JoinedProcess& process,
                   const Handover& handover) {
  const NotedProcess noted(container, process);
  const backend::ReportSocket report(container.directory(), report_name(noted.name()));
  const isolation::Plan plan = make_host_plan(
      {base::find_helper("trine-oci"), "--root", globals.root, "__exec", container.state.id, noted.name()},
      process.process);
  isolation::StartHooks hooks;
  hooks.in_child = [&] { cgroups::open_group(container.state.cgroups).join_self(false); };
  hooks.outlive_caller = true;
  const attach::SignalBlock signals;
  isolation::Started started = isolation::start(plan, hooks);
  report.await(started.process.pidfd());
  hand_over(handover, started.process.pid(), started.process.pidfd(), started.terminal.get());
  if (handover.detach)
    return 0;
  return attach::attach(started.process, signals, {}).code;
}

}  // namespace

int exec_in_guest(const Globals& globals, const Container& container, backend::JoinedProcess process,
                  const Handover& handover) {
  process.process = process_in_guest(std::move(process.process));
  if (handover.detach || !handover.console_socket.empty())
    return exec_by_keeper(globals, container, process, handover);
  const attach::SignalBlock signals;
  const base::UniqueFd self = backend::open_process(::getpid(), base::process_info(::getpid()).start_time);
  return backend::exec_in_vm({.socket = control_socket(globals, container.state.id),
                              .process = std::move(process),
                              .interactive = true,
                              .on_started = [&] { hand_over(handover, ::getpid(), self.get(), -1); }},
                             signals);
}

int run_exec_keeper(const Globals& globals, Arguments arguments) {
  if (arguments.size() != 2)
    throw base::Error("__exec is trine-oci's own command");
  const std::string& id = arguments[0];
  const std::string& noted = arguments[1];
  backend::Reporter reporter(globals.root + "/" + id + "/" + report_name(noted));
  try {
    const attach::SignalBlock signals;
    const Container container = Container::open(globals.root, id, Container::Access::kRead);
    const base::UniqueFd file = base::open_file_at(container.directory(), noted, O_RDONLY);
    auto process = backend::decode_process(base::read_all(file.get(), noted, kMostBytes));
    if (!process)
      throw base::Error("the process to start is damaged, or another version's");
    if (process->process.terminal)
      process->process.window_size = attach::own_window_size();
    return backend::exec_in_vm({.socket = control_socket(globals, id),
                                .process = std::move(*process),
                                .interactive = true,
                                .on_started = [&] { reporter.started(); }},
                               signals);
  } catch (const base::Error& error) {
    reporter.failed(error);
    throw;
  }
}

}  // namespace trine::runtime::oci_cli
