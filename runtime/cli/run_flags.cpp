#include "run_flags.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/error.h"
#include "log_values.h"
#include "run_values.h"

namespace trine::runtime::cli {
namespace {

using engine::RunOptions;
using Text = const std::string&;

constexpr const char* kInstance = "Instance";
constexpr const char* kProcess = "Process";
constexpr const char* kFiles = "Files";
constexpr const char* kNetwork = "Network";
constexpr const char* kLimits = "Limits";
constexpr const char* kSecurity = "Security";

/// `trine run`: every flag, its help, and what it sets. Applied in this order, each one's values as given.
const Flag<RunOptions> kFlags[] = {
    {{"-d,--detach", nullptr, kInstance, "run it in the background, and print its id"},
     [](RunOptions& o, Text v) { o.detach = is_on(v); }},
    {{"-i,--interactive", nullptr, kInstance, "connect the standard input"},
     [](RunOptions& o, Text v) { o.interactive = is_on(v); }},
    {{"-t,--tty", nullptr, kInstance, "give it a terminal"},
     [](RunOptions& o, Text v) { o.terminal = is_on(v); }},
    {{"--rm", nullptr, kInstance, "remove it when it has ended"},
     [](RunOptions& o, Text v) { o.remove = is_on(v); }},
    {{"--name", "NAME", kInstance, "call it NAME"}, [](RunOptions& o, Text v) { o.name = v; }},
    {{"--hostname", "NAME", kInstance, "its host name (default: its id)"}, set_hostname},
    {{"--init", nullptr, kInstance, "run a PID 1 that reaps and passes on signals"},
     [](RunOptions& o, Text v) { o.init = is_on(v); }},
    {{"--pull", "WHEN", kInstance, "missing (default), always or never"}, set_pull},
    {{"--platform", "OS/ARCH[/VARIANT]", kInstance, "of an image for several (default: this machine's)"},
     set_platform},
    {{"--signature-policy", "FILE", kInstance, "in place of ~/.config or /etc/containers/policy.json"},
     [](RunOptions& o, Text v) { o.signature_policy = v; }},
    {{"--isolation", "CLASS", kInstance, "container, vm, full or auto (default: the policy's, or container)"},
     set_isolation},
    {{"-l,--label", "KEY=VALUE", kInstance, "a label"},
     [](RunOptions& o, Text v) { o.labels.push_back(read_pair("--label", v)); }},
    {{"--annotation", "KEY=VALUE", kInstance, "an OCI annotation"},
     [](RunOptions& o, Text v) { o.annotations.push_back(read_pair("--annotation", v)); }},
    {{"--stop-signal", "SIGNAL", kInstance, "the signal that stops it"}, set_stop_signal},
    {{"--log-driver", "DRIVER", kInstance,
      "what keeps its output in the background: k8s-file (default) or none"},
     set_log_driver},
    {{"--log-opt", "NAME=VALUE", kInstance,
      "max-size=SIZE of a file (default: any), max-file=NUMBER (default: 1)"},
     set_log_option},
    {{"--cidfile", "FILE", kInstance, "write its id to FILE"}, set_cidfile},
    {{"--env-file", "FILE", kProcess, "environment variables, a line each"}, add_env_file},
    {{"-e,--env", "NAME[=VALUE]", kProcess, "an environment variable; without a value, ours"}, add_env},
    {{"-w,--workdir", "DIR", kProcess, "the working directory"}, set_working_directory},
    {{"-u,--user", "USER[:GROUP]", kProcess, "names or numbers"}, [](RunOptions& o, Text v) { o.user = v; }},
    {{"--entrypoint", "PROGRAM", kProcess, "in place of the image's; empty for none"},
     [](RunOptions& o, Text v) { o.entrypoint = v; }},
    {{"-v,--volume", "SOURCE:TARGET[:OPTIONS]", kFiles,
      "a host directory or file (ro, rw, nosuid, idmap=, …)"},
     add_volume},
    {{"--mount", "type=…,src=…,dst=…[,ro]", kFiles, "the same, spelt out; type bind or tmpfs"}, add_mount},
    {{"--tmpfs", "TARGET[:OPTIONS]", kFiles, "a file system in memory (size=, mode=, exec, …)"}, add_tmpfs},
    {{"--read-only", nullptr, kFiles, "make the root read-only"},
     [](RunOptions& o, Text v) { o.read_only = is_on(v); }},
    {{"--shm-size", "SIZE", kFiles, "of /dev/shm (default: 64m)"}, set_shm_size},
    {{"--device", "HOST[:TARGET[:rwm]]", kFiles, "a device of the host"}, add_device},
    {{"--network", "MODE", kNetwork, "private (default), none, host, container:NAME or ns:/PATH"},
     set_network},
    {{"-m,--memory", "SIZE", kLimits, "memory (b, k, m, g); 0 for no limit"}, set_memory},
    {{"--memory-swap", "SIZE", kLimits,
      "memory and swap together (default: twice the memory); -1 for no limit"},
     set_memory_swap},
    {{"--cpus", "NUMBER", kLimits, "CPUs' worth of time, as in 1.5"}, set_cpus},
    {{"--cpu-shares", "NUMBER", kLimits, "share of busy CPUs, 2 to 262144 (default: 1024)"}, set_cpu_shares},
    {{"--cpuset-cpus", "LIST", kLimits, "which CPUs, as in 0-2,4"}, set_cpuset},
    {{"--pids-limit", "NUMBER", kLimits, "processes; -1 for no limit"}, set_pids_limit},
    {{"--vm-pages", "KIND", kLimits, "how a VM's memory is kept: merged (by KSM) or small (no huge pages)"},
     add_vm_pages},
    {{"--vm-net-rate", "bytes=…,packets=…", kLimits, "what a VM's interfaces may pass a second, each way"},
     set_vm_net_rate},
    {{"--vm-net-queues", "NUMBER", kLimits,
      "queues of each interface of a VM, at most its processors (default: 1)"},
     set_vm_net_queues},
    {{"--vm-disk-rate", "bytes=…,requests=…", kLimits,
      "what a VM may read a second of each layer of its image"},
     set_vm_disk_rate},
    {{"--ulimit", "NAME=SOFT[:HARD]", kLimits, "a limit of setrlimit(2)"}, add_ulimit},
    {{"--cap-add", "CAPABILITY", kSecurity, "give it a capability, or ALL"}, add_capability},
    {{"--cap-drop", "CAPABILITY", kSecurity, "take one away, or ALL"}, drop_capability},
    {{"--security-opt", "OPTION", kSecurity, "seccomp=unconfined, seccomp=FILE or no-new-privileges"},
     add_security_option},
    {{"--privileged", nullptr, kSecurity, "all capabilities and devices, nothing hidden"},
     [](RunOptions& o, Text v) { o.privileged = is_on(v); }},
    {{"--sysctl", "NAME=VALUE", kSecurity, "a sysctl of its namespaces"}, add_sysctl},
};

constexpr std::array kBundleFlags{"detach",  "interactive", "tty",        "rm",     "name",
                                  "cidfile", "isolation",   "log-driver", "log-opt"};

/// A bundle says itself what it is: other flags would be ignored in silence.
void check_bundle(const ParsedFlags& parsed) {
  const std::string& bundle = parsed.rest.front();
  if (!bundle.starts_with("bundle:"))
    return;
  for (std::size_t i = 0; i < std::size(kFlags); ++i) {
    const auto name = kFlags[i].text.long_name();
    if (parsed.values[i].empty() || std::ranges::find(kBundleFlags, name) != kBundleFlags.end())
      continue;
    throw base::Error("--" + std::string(name) + " cannot be given with " + bundle, 0,
                      "the bundle's config.json says it all: change it there");
  }
  if (parsed.rest.size() > 1) {
    throw base::Error("the command '" + parsed.rest[1] + "' cannot be given with " + bundle, 0,
                      "the bundle brings its own: change process.args in its config.json");
  }
}

/// What counts for the first start only, and what is written in another way.
constexpr std::array kNotKept{"detach", "cidfile", "pull", "name", "rm", "env", "env-file"};

/// The words again, without the caller's environment in them.
engine::SavedRequest request_of(const ParsedFlags& parsed, const RunOptions& options) {
  std::error_code gone;  // who stands in a directory that was removed has no relative paths
  engine::SavedRequest request{.words = {}, .directory = std::filesystem::current_path(gone)};
  for (std::size_t i = 0; i < std::size(kFlags); ++i) {
    const auto name = kFlags[i].text.long_name();
    if (std::ranges::find(kNotKept, name) != kNotKept.end())
      continue;
    for (const std::string& value : parsed.values[i])
      request.words.push_back("--" + std::string(name) + "=" + value);
  }
  for (const std::string& variable : options.env)
    request.words.push_back("--env=" + variable);
  request.words.emplace_back("--");
  request.words.insert(request.words.end(), parsed.rest.begin(), parsed.rest.end());
  return request;
}

RunOptions make_options(ParsedFlags parsed) {
  check_bundle(parsed);
  RunOptions options;
  apply_flags(kFlags, parsed, options);
  check_targets(options);
  options.request = request_of(parsed, options);
  options.image = std::move(parsed.rest.front());
  options.command.assign(std::make_move_iterator(parsed.rest.begin() + 1),
                         std::make_move_iterator(parsed.rest.end()));
  return options;
}

}  // namespace

std::vector<FlagText> run_flag_texts() {
  return flag_texts(kFlags);
}

RunOptions parse_run(std::vector<std::string> arguments, const std::string& verb) {
  ParsedFlags parsed =
      parse_words(verb.c_str(), run_flag_texts(), std::move(arguments), args::FlagsEnd::kFirstWord);
  if (parsed.rest.empty())
    throw base::Error("trine " + verb + " needs an image", 0,
                      "trine " + verb + " [FLAG]... IMAGE [COMMAND]...");
  return make_options(std::move(parsed));
}

RunOptions parse_again(const engine::SavedRequest& request) {
  // A variable that was not there is one that the image's is taken away for: it must not be there now.
  for (const std::string& word : request.words) {
    constexpr std::string_view kVariable = "--env=";
    if (word == "--")
      break;
    if (word.starts_with(kVariable) && word.find('=', kVariable.size()) == std::string::npos)
      ::unsetenv(word.substr(kVariable.size()).c_str());
  }
  (void)!::chdir(request.directory.c_str());  // it may be gone, and may not be needed
  return parse_run(request.words);
}

RunOptions parse_policy_test(std::vector<std::string> arguments) {
  ParsedFlags parsed = parse_words("policy", run_flag_texts(), std::move(arguments));
  if (parsed.rest.size() != 1) {
    throw base::Error("trine policy test needs one image, and no command behind it", 0,
                      "trine policy test IMAGE [FLAG]..., with the flags of trine run");
  }
  return make_options(std::move(parsed));
}

}  // namespace trine::runtime::cli
