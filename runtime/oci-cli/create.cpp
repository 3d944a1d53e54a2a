#include <unistd.h>

#include "base/error.h"
#include "command.h"
#include "commands.h"
#include "hooks.h"
#include "launch.h"
#include "runtime/attach/attach.h"

namespace trine::runtime::oci_cli {
namespace {

using Text = const std::string&;

struct RunOptions {
  LaunchOptions launch;
  bool keep = false;
};

void ignore(RunOptions&, Text) {}

constexpr args::Flag<RunOptions> kFlags[] = {
    {{"-b,--bundle", "DIR", nullptr, "the bundle (default: the working directory)"},
     [](RunOptions& o, Text v) { o.launch.bundle = v; }},
    {{"-f,--config", "FILE", nullptr, "in place of config.json; looked for in the bundle"},
     [](RunOptions& o, Text v) { o.launch.config = v; }},
    {{"--console-socket", "SOCKET", nullptr, "send the terminal's master there"},
     [](RunOptions& o, Text v) { o.launch.handover.console_socket = v; }},
    {{"--pid-file", "FILE", nullptr, "write the number of its first process there"},
     [](RunOptions& o, Text v) { o.launch.handover.pid_file = v; }},
    {{"--pidfd-socket", "SOCKET", nullptr, "send a descriptor of its first process there"},
     [](RunOptions& o, Text v) { o.launch.handover.pidfd_socket = v; }},
    {{"--preserve-fds", "NUMBER", nullptr, "leave it this many descriptors from 3 on"},
     [](RunOptions& o, Text v) { o.launch.preserve_fds = parse_descriptor_count(v); }},
    {{"--no-pivot", nullptr, nullptr, "accepted; the root is entered by pivot_root all the same"}, ignore},
    {{"--no-new-keyring", nullptr, nullptr, "share the caller's session keyring"},
     [](RunOptions& o, Text v) { o.launch.no_new_keyring = args::is_on(v); }},
    {{"-d,--detach", nullptr, nullptr, "return when its program runs"},
     [](RunOptions& o, Text v) { o.launch.handover.detach = args::is_on(v); }},
    {{"--keep", nullptr, nullptr, "leave its state when it has ended"},
     [](RunOptions& o, Text v) { o.keep = args::is_on(v); }},
    {{"--no-subreaper", nullptr, nullptr, "accepted; trine-oci is none"}, ignore},
};
constexpr std::size_t kCreateFlags = 8;  ///< those before --detach

/// Since 1.3 a failure is the container's end.
void run_poststart(Launched& launched) {
  const State& state = launched.container.state;
  try {
    run_poststart_hooks(launched.spec, state_document(state, "running", state.pid));
  } catch (const base::Error&) {
    destroy(launched.container, &launched.spec);
    throw;
  }
}

}  // namespace

FlagTexts run_flags() {
  return args::flag_texts(kFlags);
}

FlagTexts create_flags() {
  FlagTexts texts = run_flags();
  texts.resize(kCreateFlags);
  return texts;
}

int run_create(const Globals& globals, Arguments arguments) {
  RunOptions options;
  args::ParsedFlags parsed = parse("create", create_flags(), std::move(arguments), 1, 1);
  parsed.values.resize(std::size(kFlags));
  args::apply_flags(kFlags, parsed, options);
  options.launch.handover.detach = true;
  Launched launched = launch(globals, parsed.rest.front(), options.launch, Program::kWait);
  launched.process.detach();
  return 0;
}

int run_run(const Globals& globals, Arguments arguments) {
  RunOptions options;
  const auto rest = parse("run", kFlags, std::move(arguments), options, 1, 1);
  const attach::SignalBlock signals;
  Launched launched = launch(globals, rest.front(), options.launch, Program::kRun);
  run_poststart(launched);
  if (options.launch.handover.detach) {
    launched.process.detach();
    return 0;
  }
  const bool own_terminal = options.launch.handover.console_socket.empty();
  const base::ExitStatus status =
      attach::attach(launched.process.process(), signals,
                     {.terminal = own_terminal ? std::move(launched.terminal) : base::UniqueFd(),
                      .interactive = own_terminal});
  launched.process.detach();
  if (!options.keep)
    destroy(launched.container, &launched.spec);
  return status.code;
}

}  // namespace trine::runtime::oci_cli
