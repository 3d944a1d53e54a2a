#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "command.h"
#include "commands.h"
#include "isolation/rootless.h"
#include "isolation/start.h"
#include "log.h"
#include "vm_keeper.h"
#include "vm_process.h"

namespace trine::runtime::oci_cli {
namespace {

using Text = const std::string&;

/// A user, or root of the user namespace that an engine has made for a user: /run is not theirs.
bool has_own_run() {
  return isolation::is_rootless() || (base::in_user_namespace() && ::access("/run", W_OK) != 0);
}

/// Where anybody may make directories: ours must be the user's own.
std::string root_in_tmp() {
  std::string path = "/tmp/trine-oci-" + std::to_string(::geteuid());
  struct stat status{};
  const bool made = ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
  if (!made || ::lstat(path.c_str(), &status) != 0)
    base::throw_errno("cannot make " + path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0)
    throw base::Error("cannot keep state in " + path + ": it is another's", 0,
                      "set XDG_RUNTIME_DIR, or give --root");
  return path;
}

std::string default_root() {
  if (!has_own_run())
    return "/run/trine-oci";
  const char* run = std::getenv("XDG_RUNTIME_DIR");
  return run != nullptr && *run == '/' ? std::string(run) + "/trine-oci" : root_in_tmp();
}

void set_log_format(Globals& globals, Text value) {
  if (value != "json" && value != "text")
    throw base::Error("--log-format '" + value + "': it is json or text");
  globals.json_log = value == "json";
}

void set_cgroup_manager(Globals& globals, Text value) {
  if (value != "cgroupfs" && value != "systemd" && value != "disabled")
    throw base::Error("--cgroup-manager '" + value + "': it is cgroupfs or systemd");
  globals.systemd_cgroup = value == "systemd";
}

void ignore(Globals&, Text) {}

constexpr args::Flag<Globals> kGlobalFlags[] = {
    {{"--root", "DIR", nullptr, "where the state of containers is kept"},
     [](Globals& g, Text v) { g.root = v; }},
    {{"--log", "FILE", nullptr, "write errors there, too"}, [](Globals& g, Text v) { g.log = v; }},
    {{"--log-format", "FORMAT", nullptr, "text (default) or json"}, set_log_format},
    {{"--log-level", "LEVEL", nullptr, "accepted; only errors are logged"}, ignore},
    {{"--systemd-cgroup", nullptr, nullptr, "let systemd make the cgroups"},
     [](Globals& g, Text v) { g.systemd_cgroup = args::is_on(v); }},
    {{"--cgroup-manager", "NAME", nullptr, "cgroupfs (default) or systemd"}, set_cgroup_manager},
    {{"--debug", nullptr, nullptr, "accepted; an error always says all"}, ignore},
    {{"--rootless", "BOOL", nullptr, "accepted; it is found out"}, ignore},
    {{"--criu", "PATH", nullptr, "the criu program (the one in PATH)"},
     [](Globals& g, Text v) { g.criu = v; }},
    {{"-v,--version", nullptr, nullptr, "print the version"}, ignore},
};

constexpr const char* kVersion = "trine-oci version " TRINE_VERSION "\nspec: 1.3.0\n";

/// Commands that only trine-oci itself calls: they are in no help.
struct Keeper {
  std::string_view name;
  int (*run)(const Globals& globals, Arguments arguments);
};
constexpr Keeper kKeepers[] = {{"__keep", run_keep}, {"__exec", run_exec_keeper}};

int dispatch(Globals& globals, std::vector<std::string> words) {
  args::ParsedFlags parsed = args::parse_words("trine-oci", args::flag_texts(kGlobalFlags), std::move(words));
  args::apply_flags(kGlobalFlags, parsed, globals);
  constexpr std::size_t kVersionFlag = std::size(kGlobalFlags) - 1;
  if (!parsed.values[kVersionFlag].empty()) {
    print(kVersion);
    return 0;
  }
  if (parsed.help || parsed.rest.empty() || parsed.rest.front() == "help") {
    print(overview_text());
    return 0;
  }
  if (globals.root.empty())
    globals.root = default_root();
  if (!globals.root.starts_with('/'))
    globals.root = std::filesystem::absolute(globals.root).lexically_normal();
  if (parsed.rest.front() == "__man") {  // for the build, which installs the page
    print(man_page());
    return 0;
  }
  if (const auto keeper = std::ranges::find(kKeepers, parsed.rest.front(), &Keeper::name);
      keeper != std::end(kKeepers))
    return keeper->run(globals, {parsed.rest.begin() + 1, parsed.rest.end()});
  const Command& command = find_command(parsed.rest.front());
  parsed.rest.erase(parsed.rest.begin());
  return command.run(globals, std::move(parsed.rest));
}

/// A caller that closed them would have us open files in their place, and write messages into those.
void ensure_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0)
      (void)base::open_file("/dev/null", O_RDWR).release();
  }
}

int run(int count, char** arguments) {
  Globals globals;
  try {
    ensure_standard_descriptors();
    return dispatch(globals, {arguments + 1, arguments + count});
  } catch (const isolation::ExecError& error) {
    report(globals, error);
    return error.not_found() ? 127 : 126;
  } catch (const base::Error& error) {
    report(globals, error);
  } catch (const std::exception& error) {
    report(globals, base::Error(error.what()));
  }
  return 1;
}

}  // namespace

FlagTexts global_flag_texts() {
  return args::flag_texts(kGlobalFlags);
}

}  // namespace trine::runtime::oci_cli

int main(int count, char** arguments) {
  trine::isolation::run_sealed_exec(count, arguments);
  trine::base::set_program_name("trine-oci");
  return trine::runtime::oci_cli::run(count, arguments);
}
