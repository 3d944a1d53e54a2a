#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "command.h"
#include "commands.h"
#include "handover.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/container.h"
#include "runtime/backend/listener.h"
#include "store.h"
#include "vm_process.h"

namespace trine::runtime::oci_cli {
namespace {

using Text = const std::string&;
constexpr std::size_t kMaxProcess = 1 << 20;

struct ExecOptions {
  std::string process_file;
  oci::Process changes;  ///< what the flags say, to be put over the container's own process
  std::optional<oci::User> user;
  std::vector<std::string> capabilities;
  std::vector<std::string> cgroups;  ///< below the container's: PATH, or CONTROLLER:PATH
  bool ignore_paused = false;
  unsigned preserve_fds = 0;
  Handover handover;
};

std::uint32_t parse_id(Text text, Text whole) {
  const auto number = base::parse_unsigned(text);
  // The highest number stands for "leave it as it is" in the kernel's calls.
  if (!number || *number >= UINT32_MAX)
    throw base::Error("--user '" + whole + "': it is UID or UID:GID, in numbers");
  return static_cast<std::uint32_t>(*number);
}

void set_user(ExecOptions& options, Text value) {
  const auto colon = value.find(':');
  options.user = oci::User{.uid = parse_id(value.substr(0, colon), value)};
  if (colon != std::string::npos)
    options.user->gid = parse_id(value.substr(colon + 1), value);
}

void add_group(ExecOptions& options, Text value) {
  for (const auto& text : base::split(value, ',')) {
    const auto number = base::parse_unsigned(text);
    if (!number || *number >= UINT32_MAX)
      throw base::Error("--additional-gids '" + value + "' holds what is no group number");
    options.changes.user.additional_gids.push_back(static_cast<std::uint32_t>(*number));
  }
}

void ignore(ExecOptions&, Text) {}

constexpr args::Flag<ExecOptions> kFlags[] = {
    {{"-p,--process", "FILE", nullptr, "the process as JSON, as in config.json"},
     [](ExecOptions& o, Text v) { o.process_file = v; }},
    {{"-t,--tty", nullptr, nullptr, "give it a terminal"},
     [](ExecOptions& o, Text v) { o.changes.terminal = args::is_on(v); }},
    {{"-u,--user", "UID[:GID]", nullptr, "run it as this user"}, set_user},
    {{"-g,--additional-gids", "GID", nullptr, "give it a group more"}, add_group},
    {{"-e,--env", "NAME=VALUE", nullptr, "set a variable"},
     [](ExecOptions& o, Text v) { o.changes.env.push_back(v); }},
    {{"--cwd", "DIR", nullptr, "its working directory"}, [](ExecOptions& o, Text v) { o.changes.cwd = v; }},
    {{"-c,--cap", "CAPABILITY", nullptr, "give it a capability more"},
     [](ExecOptions& o, Text v) { o.capabilities.push_back(v); }},
    {{"--apparmor", "PROFILE", nullptr, "its AppArmor profile"},
     [](ExecOptions& o, Text v) { o.changes.apparmor_profile = v; }},
    {{"--process-label", "LABEL", nullptr, "its SELinux label"},
     [](ExecOptions& o, Text v) { o.changes.selinux_label = v; }},
    {{"--no-new-privs", nullptr, nullptr, "no program that it executes gains privileges"},
     [](ExecOptions& o, Text v) { o.changes.no_new_privileges = args::is_on(v); }},
    {{"--ignore-paused", nullptr, nullptr, "make it in a paused container, where it waits"},
     [](ExecOptions& o, Text v) { o.ignore_paused = args::is_on(v); }},
    {{"--cgroup", "[CONTROLLER:]PATH", nullptr, "a cgroup below the container's"},
     [](ExecOptions& o, Text v) { o.cgroups.push_back(v); }},
    {{"-d,--detach", nullptr, nullptr, "return when it runs"},
     [](ExecOptions& o, Text v) { o.handover.detach = args::is_on(v); }},
    {{"--pid-file", "FILE", nullptr, "write its number there"},
     [](ExecOptions& o, Text v) { o.handover.pid_file = v; }},
    {{"--console-socket", "SOCKET", nullptr, "send the terminal's master there"},
     [](ExecOptions& o, Text v) { o.handover.console_socket = v; }},
    {{"--pidfd-socket", "SOCKET", nullptr, "send a descriptor of it there"},
     [](ExecOptions& o, Text v) { o.handover.pidfd_socket = v; }},
    {{"--preserve-fds", "NUMBER", nullptr, "leave it this many descriptors from 3 on"},
     [](ExecOptions& o, Text v) { o.preserve_fds = parse_descriptor_count(v); }},
    {{"--no-subreaper", nullptr, nullptr, "accepted; trine-oci is none"}, ignore},
};

/// Those of the container's own process, with the flags' changes.
oci::Process from_flags(const oci::Spec& spec, ExecOptions& options, Arguments command) {
  oci::Process process = spec.process;
  oci::Process& changes = options.changes;
  process.args = std::move(command);
  process.terminal = changes.terminal;
  process.console_size.reset();
  process.env.insert(process.env.end(), changes.env.begin(), changes.env.end());
  if (changes.cwd != oci::Process().cwd)
    process.cwd = changes.cwd;
  if (options.user) {
    const auto umask = process.user.umask;
    process.user = *options.user;
    process.user.umask = umask;
  }
  auto& groups = process.user.additional_gids;
  groups.insert(groups.end(), changes.user.additional_gids.begin(), changes.user.additional_gids.end());
  process.no_new_privileges = process.no_new_privileges || changes.no_new_privileges;
  if (!changes.apparmor_profile.empty())
    process.apparmor_profile = changes.apparmor_profile;
  if (!changes.selinux_label.empty())
    process.selinux_label = changes.selinux_label;
  if (!options.capabilities.empty() && !process.capabilities)
    process.capabilities.emplace();
  for (const auto& name : options.capabilities) {
    // Not inheritable: a program that executes another must not pass them on (CVE-2022-29162), unless the
    // configuration lets the container's own do so.
    const auto& inheritable = process.capabilities->inheritable;
    if (std::ranges::find(inheritable, name) != inheritable.end())
      process.capabilities->ambient.push_back(name);
    process.capabilities->bounding.push_back(name);
    process.capabilities->effective.push_back(name);
    process.capabilities->permitted.push_back(name);
  }
  return process;
}

oci::Process make_process(const oci::Spec& spec, ExecOptions& options, Arguments command) {
  if (!options.process_file.empty() && !command.empty())
    throw base::Error("--process and a command cannot both be given");
  if (options.process_file.empty() && command.empty())
    throw base::Error("trine-oci exec needs a command, or --process");
  if (options.process_file.empty())
    return from_flags(spec, options, std::move(command));
  oci::Process process = oci::parse_process(base::read_file(options.process_file, kMaxProcess));
  process.terminal = process.terminal || options.changes.terminal;
  return process;
}

/// The value of one --cgroup: PATH for all hierarchies, or CONTROLLER[,CONTROLLER...]:PATH for those of v1.
void enter_below(std::vector<std::string>& directories, const std::string& value) {
  const auto colon = value.find(':');
  const std::string below = colon == std::string::npos ? value : value.substr(colon + 1);
  if (below.find("..") != std::string::npos)
    throw base::Error("--cgroup '" + value + "': " + below + " is not a sub cgroup path");
  const auto enter = [&](std::string& directory) {
    directory += "/" + below;
    if (::access(directory.c_str(), F_OK) != 0)
      throw base::Error("--cgroup '" + value + "': there is no such group below the container's", ENOENT,
                        "make it first: mkdir " + directory);
  };
  if (colon == std::string::npos) {
    std::ranges::for_each(directories, enter);
    return;
  }
  for (const auto& controller : base::split(value.substr(0, colon), ',')) {
    // The hierarchy of a controller is mounted by its name, with others' names beside it or not.
    const auto has_controller = [&](const std::string& directory) {
      const auto parts = base::split(directory, '/');
      return std::ranges::any_of(parts, [&](const std::string& part) {
        const auto names = base::split(part, ',');
        return std::ranges::find(names, controller) != names.end();
      });
    };
    const auto found = std::ranges::find_if(directories, has_controller);
    if (found == directories.end())
      throw base::Error("--cgroup '" + value + "': controller " + controller + " is unknown");
    enter(*found);
  }
}

std::vector<std::string> cgroups_of(const State& state, const std::vector<std::string>& values) {
  std::vector<std::string> directories = state.cgroups;
  for (const auto& value : values)
    enter_below(directories, value);
  return directories;
}

void check_status(const Container& container, bool ignore_paused) {
  const Status status = container.status();
  if (status == Status::kStopped || status == Status::kCreating)
    throw base::Error("cannot exec in container " + container.state.id + ": container not running");
  if (container.state.vm && status == Status::kCreated) {
    throw base::Error("cannot exec in container " + container.state.id + ": its VM is not up yet", 0,
                      "start it first: a VM comes up with its program");
  }
  if (status == Status::kPaused && !ignore_paused) {
    throw base::Error("cannot exec in container " + container.state.id + ": it is paused", 0,
                      "resume it first, or use --ignore-paused");
  }
}

}  // namespace

FlagTexts exec_flags() {
  return args::flag_texts(kFlags);
}

int run_exec(const Globals& globals, Arguments arguments) {
  ExecOptions options;
  auto rest = parse("exec", kFlags, std::move(arguments), options, 1, SIZE_MAX);
  const std::string id = rest.front();
  rest.erase(rest.begin());
  const Container container = Container::open(globals.root, id, Container::Access::kRead);
  check_status(container, options.ignore_paused);
  const base::UniqueFd first = container.open_process();
  if (!first)
    throw base::Error("cannot exec in container " + id + ": container not running");
  const oci::Spec spec = container.load_spec();
  const oci::Process process = make_process(spec, options, std::move(rest));
  oci::validate(process);
  check(options.handover, process.terminal);

  const attach::SignalBlock signals;
  backend::JoinedProcess joined{.process = backend::make_process(process, spec.linux_part)};
  joined.process.plain_lines = wants_plain_lines(options.handover);
  joined.process.preserved_descriptors = preserved_descriptors(options.preserve_fds);
  std::function<void(pid_t, int)> on_listener;
  if (spec.linux_part.seccomp) {
    const auto profile = backend::make_seccomp_profile(*spec.linux_part.seccomp);
    joined.seccomp = isolation::cached_seccomp(profile, globals.root + "/.seccomp");
    on_listener = backend::listener_sender(
        profile, [&](pid_t) { return state_document(container.state, "running", container.state.pid); });
  }
  if (container.state.vm)
    return exec_in_guest(globals, container, std::move(joined), options.handover);
  isolation::Started started =
      backend::join_container(std::move(joined), {.pid = container.state.pid,
                                                  .pidfd = first.get(),
                                                  .cgroups = cgroups_of(container.state, options.cgroups),
                                                  .outlive_caller = options.handover.detach,
                                                  .on_listener = on_listener,
                                                  .resctrl = backend::make_resctrl(spec.linux_part, id)});
  hand_over(options.handover, started.process.pid(), started.process.pidfd(), started.terminal.get());
  if (options.handover.detach)
    return 0;
  const bool own_terminal = options.handover.console_socket.empty();
  return attach::attach(started.process, signals,
                        {.terminal = own_terminal ? std::move(started.terminal) : base::UniqueFd(),
                         .interactive = own_terminal})
      .code;
}

}  // namespace trine::runtime::oci_cli
