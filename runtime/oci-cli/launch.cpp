#include "launch.h"

#include <cstdlib>

#include "base/error.h"
#include "base/log.h"
#include "base/process.h"
#include "bundle.h"
#include "cgroups/group.h"
#include "control_group.h"
#include "hooks.h"
#include "isolation/gate.h"
#include "isolation/resctrl.h"
#include "runtime/backend/plan.h"
#include "runtime/backend/vm_network.h"
#include "runtime/backend/vm_report.h"
#include "vm_guest.h"
#include "vm_keeper.h"

namespace trine::runtime::oci_cli {
namespace {

backend::ContainerPlan make_plan(const oci::Spec& spec, const std::string& bundle, const std::string& id,
                                 const LaunchOptions& options) {
  backend::ContainerPlan plan = backend::make_plan(spec, bundle, id);
  isolation::Process& process = plan.isolation.process;
  process.preserved_descriptors = preserved_descriptors(options.preserve_fds);
  process.plain_lines = wants_plain_lines(options.handover);
  process.keep_keyring = options.no_new_keyring;
  process.create_cwd = true;  // as runc and crun do
  // Set by podman for `--group-add keep-groups`: an unprivileged user could not get these back.
  if (const auto keep = spec.annotations.find("run.oci.keep_original_groups"); keep != spec.annotations.end())
    process.user.keep_groups = keep->second == "1";
  if (const char* listen = std::getenv("LISTEN_FDS"); listen != nullptr) {
    process.env.push_back(std::string("LISTEN_FDS=") + listen);
    process.env.emplace_back("LISTEN_PID=1");
  }
  return plan;
}

backend::ContainerOptions container_options(const Globals& globals, Container& container,
                                            const oci::Spec& spec, const backend::ContainerPlan& plan) {
  backend::ContainerOptions options;
  options.cgroup_name = cgroup_name(plan, container.state.id);
  options.cgroup_coverage = kGroupCoverage;
  if (container.state.scope) {
    options.make_group = [&container, name = options.cgroup_name](const cgroups::Hierarchies& hierarchies,
                                                                  const cgroups::Limits& limits) {
      return make_group(container, name, hierarchies, limits);
    };
  }
  options.seccomp_cache = globals.root + "/.seccomp";
  options.on_created = [&](pid_t pid, const cgroups::Group& group) {
    container.state.pid = pid;
    container.state.start_time = base::process_info(pid).start_time;
    container.state.cgroups = group.directories();
    container.save_state();
  };
  options.in_child = [&] { container.forget(); };
  if (has_environment_hooks(spec)) {
    options.on_environment = [&](pid_t pid) {
      run_environment_hooks(spec,
                            [&](const char* status) { return state_document(container.state, status, pid); });
    };
  }
  options.create_container_hooks = create_container_hooks(spec);
  options.start_container_hooks = start_container_hooks(spec);
  options.hook_state = [state = &container.state](const char* status, pid_t pid) {
    return state_document(*state, status, pid);
  };
  return options;
}

/// Takes back a container that could not be made.
class Rollback {
 public:
  Rollback(Container& container, const oci::Spec& spec) : container_(container), spec_(spec) {}
  ~Rollback() {
    if (!active_)
      return;
    try {
      const State& state = container_.state;
      // systemd may not have seen that its directory is gone.
      if (state.scope && !state.cgroups.empty())
        remove_group(state);
      if (state.root_mount)
        unmount(*state.root_mount);
      run_poststop_hooks(spec_, state_document(state, "stopped", 0));
      container_.remove();
    } catch (const std::exception& error) {
      base::print_warning(error.what());
    }
  }
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  void release() { active_ = false; }

 private:
  Container& container_;
  const oci::Spec& spec_;
  bool active_ = true;
};

}  // namespace

Launched launch(const Globals& globals, const std::string& id, const LaunchOptions& launch_options,
                Program program) {
  Bundle bundle = load_bundle(launch_options.bundle, launch_options.config);
  const oci::Spec& spec = bundle.spec;
  check(launch_options.handover, spec.process.terminal);
  backend::ContainerPlan plan = make_plan(spec, bundle.path, id, launch_options);
  if (bundle.vm) {
    check_guest_program(spec, bundle.path);
    plan = make_keeper_plan(globals, plan, id);
  }
  std::optional<Scope> scope = choose_scope(globals, spec, id);

  Container container = Container::create(globals.root, id);
  Rollback rollback(container, spec);
  describe(bundle, container.state);
  container.save_spec(bundle.text);
  container.state.scope = std::move(scope);
  if (!oci::has_namespace(spec, "mount")) {
    container.state.root_mount = root_mount(container.state.rootfs);
    container.save_state();  // before there is anything that is to be unmounted
  }
  backend::ContainerOptions options = container_options(globals, container, spec, plan);
  base::UniqueFd gate;
  if (program == Program::kWait)
    gate = isolation::make_gate(container.directory());
  options.gate = gate.get();
  options.outlive_caller = program == Program::kWait || launch_options.handover.detach;
  std::optional<backend::ReportSocket> report;
  if (container.state.vm && program == Program::kRun)
    report.emplace(container.directory(), kReportSocket);
  backend::Container process = backend::start_container(std::move(plan), options);
  if (report)
    report->await(process.process().pidfd());
  base::UniqueFd terminal = process.take_terminal();
  container.state.creating = false;
  container.save_state();
  hand_over(launch_options.handover, process.process().pid(), process.process().pidfd(), terminal.get());
  rollback.release();
  return {std::move(container), std::move(bundle.spec), std::move(process), std::move(terminal)};
}

void destroy(Container& container, const oci::Spec* spec) {
  const State& state = container.state;
  if (state.pid != 0 || !state.cgroups.empty())
    remove_group(state);
  else if (spec != nullptr)
    remove_unrecorded_group(state, *spec);
  if (state.vm)
    backend::part_network(container.path());
  if (state.root_mount)
    unmount(*state.root_mount);
  if (spec != nullptr && spec->linux_part.intel_rdt)
    isolation::remove_resctrl_group(isolation::find_resctrl(),
                                    *backend::make_resctrl(spec->linux_part, state.id));
  if (spec != nullptr)
    run_poststop_hooks(*spec, state_document(state, "stopped", 0));
  container.remove();
}

}  // namespace trine::runtime::oci_cli
