#include "lifecycle_verbs.h"

#include <csignal>
#include <optional>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "flags.h"
#include "isolation/signals.h"
#include "run_values.h"
#include "runtime/engine/lifecycle.h"
#include "runtime/engine/run.h"

namespace trine::runtime::cli {
namespace {

using Text = const std::string&;

struct KillOptions {
  int signal = SIGKILL;
};
const Flag<KillOptions> kKillFlags[] = {
    {{"-s,--signal", "SIGNAL", "Flags", "which signal (default: KILL)"},
     [](KillOptions& o, Text v) {
       const auto number = isolation::parse_signal(v);
       if (!number)
         refuse("--signal", v, "there is no such signal", "as in TERM, SIGINT or 15: see signal(7)");
       o.signal = *number;
     }},
};

struct StopOptions {
  std::optional<std::chrono::seconds> patience = std::chrono::seconds(10);
};

void set_patience(StopOptions& options, Text text) {
  constexpr std::uint64_t kMost = 86'400;
  if (text == "-1") {
    options.patience.reset();
    return;
  }
  const auto seconds = base::parse_unsigned(text);
  if (!seconds || *seconds > kMost)
    refuse("--time", text, "it is no time", "a number of seconds up to 86400; -1 for ever");
  options.patience = std::chrono::seconds(*seconds);
}

const Flag<StopOptions> kStopFlags[] = {
    {{"-t,--time", "SECONDS", "Flags", "how long before it is killed (default: 10); -1 for ever"},
     set_patience},
};

void require_instances(const char* verb, const std::vector<std::string>& references) {
  if (references.empty())
    throw base::Error(std::string("trine ") + verb + " needs an instance", 0, "trine ps lists them");
}

/// Does `act` for each; one that fails does not keep the others from their turn. The exit code.
template <typename Range, typename Act>
int for_each_of(Range& range, Act act) {
  int code = 0;
  for (auto& one : range) {
    try {
      act(one);
    } catch (const base::Error& error) {
      base::print_error(error);
      code = engine::kExitFailure;
    }
  }
  return code;
}

/// A verb without flags that does one thing to each instance named.
int run_on_each(const char* verb, const engine::Paths& paths, std::vector<std::string> arguments,
                void (*act)(const engine::Paths&, Text)) {
  const auto references = parse_words(verb, {}, std::move(arguments)).rest;
  require_instances(verb, references);
  return for_each_of(references, [&](Text reference) {
    act(paths, reference);
    print(reference + "\n");
  });
}

}  // namespace

std::vector<FlagText> kill_flag_texts() {
  return flag_texts(kKillFlags);
}
std::vector<FlagText> stop_flag_texts() {
  return flag_texts(kStopFlags);
}

int run_kill(const engine::Paths& paths, std::vector<std::string> arguments) {
  KillOptions options;
  const auto references = parse_flags("kill", kKillFlags, std::move(arguments), options);
  require_instances("kill", references);
  return for_each_of(references, [&](const std::string& reference) {
    engine::kill_instance(paths, reference, options.signal);
    print(reference + "\n");
  });
}

int run_pause(const engine::Paths& paths, std::vector<std::string> arguments) {
  return run_on_each("pause", paths, std::move(arguments), engine::pause_instance);
}

int run_unpause(const engine::Paths& paths, std::vector<std::string> arguments) {
  return run_on_each("unpause", paths, std::move(arguments), engine::unpause_instance);
}

int run_stop(const engine::Paths& paths, std::vector<std::string> arguments) {
  StopOptions options;
  const auto references = parse_flags("stop", kStopFlags, std::move(arguments), options);
  require_instances("stop", references);
  int code = 0;
  engine::stop_instances(paths, references, options.patience,
                         [&](const std::string& reference, const base::Error* error) {
                           if (error == nullptr)
                             return print(reference + "\n");
                           base::print_error(*error);
                           code = engine::kExitFailure;
                         });
  return code;
}

int run_wait(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto references = parse_words("wait", {}, std::move(arguments)).rest;
  require_instances("wait", references);
  // All of them first: one may end, and be gone, while another is waited for.
  std::vector<engine::AwaitedEnd> ends;
  const int opened =
      for_each_of(references, [&](const std::string& reference) { ends.emplace_back(paths, reference); });
  const int waited =
      for_each_of(ends, [](engine::AwaitedEnd& end) { print(std::to_string(end.wait()) + "\n"); });
  return opened != 0 ? opened : waited;
}

}  // namespace trine::runtime::cli
