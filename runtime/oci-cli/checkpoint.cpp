#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "bundle.h"
#include "cgroups/group.h"
#include "command.h"
#include "commands.h"
#include "control_group.h"
#include "criu.h"
#include "handover.h"
#include "hooks.h"
#include "isolation/mount_options.h"
#include "launch.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/plan.h"
#include "store.h"

namespace trine::runtime::oci_cli {
namespace {

using Text = const std::string&;

struct CheckpointOptions {
  CriuOptions criu;
};

struct RestoreOptions {
  CriuOptions criu;
  std::string bundle;
  Handover handover;
};

template <typename Options>
void set_cgroups_mode(Options& options, Text value) {
  if (value != "soft" && value != "full" && value != "strict" && value != "ignore")
    throw base::Error("--manage-cgroups-mode '" + value + "': it is soft, full, strict or ignore");
  options.criu.cgroups_mode = value;
}

template <typename Options>
void set_empty_network(Options& options, Text value) {
  if (value != "network")
    throw base::Error("--empty-ns '" + value + "': criu can leave out the network only", 0,
                      "--empty-ns network");
  options.criu.empty_network = true;
}

template <typename Options>
void refuse_lazy_pages(Options&, Text) {
  throw base::Error("--lazy-pages is not supported", 0, "without it the memory is written to --image-path");
}

void set_parent_path(CheckpointOptions& options, Text value) {
  if (value.starts_with('/'))
    throw base::Error("--parent-path '" + value + "' is absolute", 0, "it is relative to --image-path");
  options.criu.parent_path = value;
}

template <typename Options>
void ignore(Options&, Text) {}

constexpr args::Flag<CheckpointOptions> kCheckpointFlags[] = {
    {{"--image-path", "DIR", nullptr, "write the images there (checkpoint)"},
     [](CheckpointOptions& o, Text v) { o.criu.image_path = v; }},
    {{"--work-path", "DIR", nullptr, "write criu's log there (where the images are)"},
     [](CheckpointOptions& o, Text v) { o.criu.work_path = v; }},
    {{"--parent-path", "DIR", nullptr, "an earlier pre-dump, relative to --image-path"}, set_parent_path},
    {{"--leave-running", nullptr, nullptr, "let it go on afterwards"},
     [](CheckpointOptions& o, Text v) { o.criu.leave_running = args::is_on(v); }},
    {{"--pre-dump", nullptr, nullptr, "write the memory only, and let it go on"},
     [](CheckpointOptions& o, Text v) { o.criu.pre_dump = args::is_on(v); }},
    {{"--tcp-established", nullptr, nullptr, "allow open TCP connections"},
     [](CheckpointOptions& o, Text v) { o.criu.tcp_established = args::is_on(v); }},
    {{"--tcp-skip-in-flight", nullptr, nullptr, "leave out TCP connections that are being made"},
     [](CheckpointOptions& o, Text v) { o.criu.tcp_skip_in_flight = args::is_on(v); }},
    {{"--ext-unix-sk", nullptr, nullptr, "allow unix sockets to processes outside"},
     [](CheckpointOptions& o, Text v) { o.criu.ext_unix_sk = args::is_on(v); }},
    {{"--shell-job", nullptr, nullptr, "allow a terminal of a session outside"},
     [](CheckpointOptions& o, Text v) { o.criu.shell_job = args::is_on(v); }},
    {{"--file-locks", nullptr, nullptr, "write file locks, too"},
     [](CheckpointOptions& o, Text v) { o.criu.file_locks = args::is_on(v); }},
    {{"--manage-cgroups-mode", "MODE", nullptr, "soft (default), full, strict or ignore"},
     set_cgroups_mode<CheckpointOptions>},
    {{"--empty-ns", "network", nullptr, "leave out what is in the network namespace"},
     set_empty_network<CheckpointOptions>},
    {{"--lazy-pages", nullptr, nullptr, "not supported"}, refuse_lazy_pages<CheckpointOptions>},
};

constexpr args::Flag<RestoreOptions> kRestoreFlags[] = {
    {{"-b,--bundle", "DIR", nullptr, "the bundle (the working directory)"},
     [](RestoreOptions& o, Text v) { o.bundle = v; }},
    {{"--image-path", "DIR", nullptr, "read the images there (checkpoint)"},
     [](RestoreOptions& o, Text v) { o.criu.image_path = v; }},
    {{"--work-path", "DIR", nullptr, "write criu's log there (where the images are)"},
     [](RestoreOptions& o, Text v) { o.criu.work_path = v; }},
    {{"-d,--detach", nullptr, nullptr, "return when it runs"},
     [](RestoreOptions& o, Text v) { o.handover.detach = args::is_on(v); }},
    {{"--pid-file", "FILE", nullptr, "write its number there"},
     [](RestoreOptions& o, Text v) { o.handover.pid_file = v; }},
    {{"--console-socket", "SOCKET", nullptr, "refused: a terminal cannot be restored"},
     [](RestoreOptions& o, Text v) { o.handover.console_socket = v; }},
    {{"--pidfd-socket", "SOCKET", nullptr, "send a descriptor of it there"},
     [](RestoreOptions& o, Text v) { o.handover.pidfd_socket = v; }},
    {{"--tcp-established", nullptr, nullptr, "allow open TCP connections"},
     [](RestoreOptions& o, Text v) { o.criu.tcp_established = args::is_on(v); }},
    {{"--ext-unix-sk", nullptr, nullptr, "allow unix sockets to processes outside"},
     [](RestoreOptions& o, Text v) { o.criu.ext_unix_sk = args::is_on(v); }},
    {{"--shell-job", nullptr, nullptr, "allow a terminal of a session outside"},
     [](RestoreOptions& o, Text v) { o.criu.shell_job = args::is_on(v); }},
    {{"--file-locks", nullptr, nullptr, "restore file locks, too"},
     [](RestoreOptions& o, Text v) { o.criu.file_locks = args::is_on(v); }},
    {{"--manage-cgroups-mode", "MODE", nullptr, "soft (default), full, strict or ignore"},
     set_cgroups_mode<RestoreOptions>},
    {{"--empty-ns", "network", nullptr, "leave out what was in the network namespace"},
     set_empty_network<RestoreOptions>},
    {{"--lsm-profile", "TYPE:NAME", nullptr, "another AppArmor or SELinux profile"},
     [](RestoreOptions& o, Text v) { o.criu.lsm_profile = v; }},
    {{"--lsm-mount-context", "CONTEXT", nullptr, "another SELinux context of mounts"},
     [](RestoreOptions& o, Text v) { o.criu.lsm_context = v; }},
    {{"--no-subreaper", nullptr, nullptr, "accepted"}, ignore<RestoreOptions>},
    {{"--no-pivot", nullptr, nullptr, "accepted; criu decides"}, ignore<RestoreOptions>},
    {{"--lazy-pages", nullptr, nullptr, "not supported"}, refuse_lazy_pages<RestoreOptions>},
};

/// What runs in a guest, criu does not see; and what it restores is a container.
void refuse_vm(bool is_vm, const std::string& what) {
  if (is_vm)
    throw base::Error("cannot " + what + " a container of the isolation class vm", 0,
                      "criu works on processes of the host's: pause and resume hold a VM");
}

/// criu's command line cannot be handed the other end of a terminal.
void refuse_terminal(const oci::Spec& spec, const std::string& verb) {
  if (spec.process.terminal) {
    throw base::Error("cannot " + verb + " a container with a terminal", 0,
                      "set process.terminal to false in its config.json");
  }
}

/// Where the root file system is restored from: a mount of its own, as criu wants it, in a mount namespace
/// that ends with criu. Called in criu's process.
void make_root_mount(const std::string& rootfs, const std::string& place) {
  if (::unshare(CLONE_NEWNS) != 0)
    base::throw_errno("cannot make a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0)
    base::throw_errno("cannot set the propagation of /");
  if (::mount(rootfs.c_str(), place.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    base::throw_errno("cannot bind " + rootfs + " on " + place);
}

/// Those that are on the root file system itself: a fresh copy of it may lack them. What is below a new file
/// system is criu's to make.
void make_mount_points(const isolation::Plan& plan, const std::string& rootfs) {
  const base::UniqueFd root = base::open_file(rootfs, O_PATH | O_DIRECTORY);
  std::vector<std::string> covered;
  for (const auto& mount : plan.mounts) {
    const bool below = std::ranges::any_of(
        covered, [&](const std::string& other) { return mount.destination.starts_with(other + "/"); });
    covered.push_back(mount.destination);
    if (below)
      continue;
    struct stat status{};
    const bool is_file = mount.bind && ::stat(mount.source.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
    if (is_file)
      base::make_file_in_root(root.get(), mount.destination);
    else
      base::make_directories_in_root(root.get(), mount.destination);
  }
}

base::UniqueFd open_network(const oci::Spec& spec) {
  for (const auto& entry : spec.linux_part.namespaces) {
    if (entry.type != "network" || entry.path.empty())
      continue;
    // Without O_CLOEXEC: criu inherits it.
    const int fd = ::open(entry.path.c_str(), O_RDONLY);
    if (fd < 0)
      base::throw_errno("cannot open the network namespace " + entry.path);
    return base::UniqueFd(fd);
  }
  return {};
}

/// Removes what a restore has made, unless it succeeds.
class Undo {
 public:
  explicit Undo(Container& container) : container_(container) {}
  ~Undo() {
    if (!active_)
      return;
    try {
      if (!container_.state.cgroups.empty())  // else its scope, if there is one, is another container's
        remove_group(container_.state);
      container_.remove();
    } catch (const std::exception& error) {
      base::print_warning(error.what());
    }
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  void release() { active_ = false; }

 private:
  Container& container_;
  bool active_ = true;
};

struct Restored {
  pid_t pid = 0;
  base::UniqueFd pidfd;
};

Restored find_restored(const std::string& pid_file) {
  const auto pid = base::parse_unsigned(base::trim(base::read_file(pid_file, 64)));
  if (!pid || *pid == 0 || *pid > INT_MAX)
    throw base::Error("criu has written no process number to " + pid_file);
  ::unlink(pid_file.c_str());
  Restored restored{.pid = static_cast<pid_t>(*pid), .pidfd = {}};
  restored.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, restored.pid, 0)));
  if (!restored.pidfd)
    base::throw_errno("the restored process " + std::to_string(restored.pid) + " is gone");
  return restored;
}

Restored restore(const Globals& globals, const std::string& program, const RestoreOptions& options,
                 const oci::Spec& spec, const backend::ContainerPlan& plan, Container& container,
                 cgroups::Group& group) {
  State& state = container.state;
  const std::string directory = globals.root + "/" + state.id;
  const base::UniqueFd network = open_network(spec);
  RestorePlace place{.root = directory + "/criu-root",
                     .pid_file = directory + "/criu.pid",
                     .cgroups = group.directories(),
                     .network = network.get(),
                     .files = {}};
  base::make_directories(place.root, 0700);
  make_mount_points(plan.isolation, state.rootfs);
  // criu ends and leaves the container's first process behind: it becomes a child of ours, and when we end,
  // of the caller's subreaper.
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    base::throw_errno("cannot become the parent of what criu restores");
  run_criu(program, options.criu, CriuVerb::kRestore,
           restore_arguments(options.criu, spec, state.bundle, place), [&] {
             container.forget();
             group.join_self(false);
             make_root_mount(state.rootfs, place.root);
           });
  ::rmdir(place.root.c_str());
  return find_restored(place.pid_file);
}

}  // namespace

FlagTexts checkpoint_flags() {
  return args::flag_texts(kCheckpointFlags);
}

FlagTexts restore_flags() {
  return args::flag_texts(kRestoreFlags);
}

int run_checkpoint(const Globals& globals, Arguments arguments) {
  CheckpointOptions options;
  const std::string id = parse("checkpoint", kCheckpointFlags, std::move(arguments), options, 1, 1).front();
  Container container = Container::open(globals.root, id, Container::Access::kChange);
  const Status status = container.status();
  if (status != Status::kRunning && status != Status::kPaused) {
    throw base::Error("cannot checkpoint container " + id + ": it is " + name_of(status) + ", not running");
  }
  const oci::Spec spec = container.load_spec();
  refuse_vm(container.state.vm, "checkpoint");
  refuse_terminal(spec, "checkpoint");
  const std::string program = find_criu(globals.criu);
  prepare_directories(options.criu, CriuVerb::kDump);
  if (!options.criu.pre_dump)
    save_descriptors(options.criu, container.state);
  run_criu(program, options.criu, CriuVerb::kDump, dump_arguments(options.criu, spec, container.state),
           [&] { container.forget(); });
  if (!options.criu.pre_dump && !options.criu.leave_running)
    destroy(container, &spec);
  return 0;
}

int run_restore(const Globals& globals, Arguments arguments) {
  RestoreOptions options;
  const std::string id = parse("restore", kRestoreFlags, std::move(arguments), options, 1, 1).front();
  const Bundle bundle = load_bundle(options.bundle);
  const oci::Spec& spec = bundle.spec;
  refuse_vm(bundle.vm, "restore");
  refuse_terminal(spec, "restore");
  if (has_environment_hooks(spec))
    throw base::Error("cannot restore a container with prestart or createRuntime hooks", 0,
                      "criu's command line has no moment at which they could run");
  check(options.handover, false);
  const std::string program = find_criu(globals.criu);
  prepare_directories(options.criu, CriuVerb::kRestore);
  const backend::ContainerPlan plan = backend::make_plan(spec, bundle.path, id);
  std::optional<Scope> scope = choose_scope(globals, spec, id);

  const attach::SignalBlock signals;
  Container container = Container::create(globals.root, id);
  Undo undo(container);
  container.save_spec(bundle.text);
  State& state = container.state;
  describe(bundle, state);
  state.scope = std::move(scope);
  cgroups::Group group = make_group(container, cgroup_name(plan, id), cgroups::detect(), plan.limits);
  state.cgroups = group.directories();
  Restored restored = restore(globals, program, options, spec, plan, container, group);
  group.settle();
  state.pid = restored.pid;
  state.start_time = base::process_info(restored.pid).start_time;
  state.creating = false;
  container.save_state();
  hand_over(options.handover, restored.pid, restored.pidfd.get(), -1);
  undo.release();
  run_poststart_hooks(spec, state_document(state, "running", state.pid));
  if (options.handover.detach)
    return 0;
  base::Process process(restored.pid, std::move(restored.pidfd));
  const base::ExitStatus status = attach::attach(process, signals, {});
  destroy(container, &spec);
  return status.code;
}

}  // namespace trine::runtime::oci_cli
