#include "exec_verb.h"

#include "base/error.h"
#include "flags.h"
#include "run_values.h"
#include "runtime/engine/exec.h"

namespace trine::runtime::cli {
namespace {

using Text = const std::string&;

struct Options {
  engine::ExecOptions exec;
  engine::RunOptions process;  ///< for the flags that `run` has too
};

const Flag<Options> kFlags[] = {
    {{"-i,--interactive", nullptr, "Flags", "connect the standard input"},
     [](Options& o, Text v) { o.exec.interactive = is_on(v); }},
    {{"-t,--tty", nullptr, "Flags", "give it a terminal"},
     [](Options& o, Text v) { o.exec.terminal = is_on(v); }},
    {{"-d,--detach", nullptr, "Flags", "return when it runs; its output goes nowhere"},
     [](Options& o, Text v) { o.exec.detach = is_on(v); }},
    {{"--env-file", "FILE", "Flags", "environment variables, a line each"},
     [](Options& o, Text v) { add_env_file(o.process, v); }},
    {{"-e,--env", "NAME[=VALUE]", "Flags", "an environment variable; without a value, ours"},
     [](Options& o, Text v) { add_env(o.process, v); }},
    {{"-w,--workdir", "DIR", "Flags", "the working directory"},
     [](Options& o, Text v) { set_working_directory(o.process, v); }},
    {{"-u,--user", "USER[:GROUP]", "Flags", "names or numbers"}, [](Options& o, Text v) { o.exec.user = v; }},
    {{"--privileged", nullptr, "Flags", "all capabilities; the instance's seccomp filter stays"},
     [](Options& o, Text v) { o.exec.privileged = is_on(v); }},
};

}  // namespace

std::vector<FlagText> exec_flag_texts() {
  return flag_texts(kFlags);
}

int run_exec(const engine::Paths& paths, std::vector<std::string> arguments) {
  ParsedFlags parsed =
      parse_words("exec", exec_flag_texts(), std::move(arguments), args::FlagsEnd::kFirstWord);
  if (parsed.rest.size() < 2) {
    throw base::Error("trine exec needs an instance and a command", 0,
                      "trine exec [FLAG]... INSTANCE COMMAND [ARGUMENT]...");
  }
  Options options;
  apply_flags(kFlags, parsed, options);
  engine::ExecOptions& exec = options.exec;
  exec.env = std::move(options.process.env);
  exec.working_directory = std::move(options.process.working_directory);
  exec.instance = std::move(parsed.rest.front());
  exec.command.assign(parsed.rest.begin() + 1, parsed.rest.end());
  return engine::exec(exec, paths);
}

}  // namespace trine::runtime::cli
