#include "lifecycle_verbs.h"

#include <algorithm>
#include <csignal>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "flags.h"
#include "isolation/signals.h"
#include "on_each.h"
#include "run_values.h"
#include "runtime/engine/lifecycle.h"

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

/// A verb without flags that does one thing to each instance named.
int run_on_each(const char* verb, const engine::Paths& paths, std::vector<std::string> arguments,
                void (*act)(const engine::Paths&, Text)) {
  const auto references = parse_words(verb, {}, std::move(arguments)).rest;
  require_instances(verb, references);
  return for_each_of(references, [&](Text reference) {
    act(paths, reference);
    print(reference + "\n");
    return 0;
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
    return 0;
  });
}

int run_pause(const engine::Paths& paths, std::vector<std::string> arguments) {
  return run_on_each("pause", paths, std::move(arguments), engine::pause_instance);
}

int run_unpause(const engine::Paths& paths, std::vector<std::string> arguments) {
  return run_on_each("unpause", paths, std::move(arguments), engine::unpause_instance);
}

std::vector<std::string> parse_stop(const char* verb, std::vector<std::string> arguments,
                                    StopOptions& options) {
  auto references = parse_flags(verb, kStopFlags, std::move(arguments), options);
  require_instances(verb, references);
  return references;
}

int stop_each(const engine::Paths& paths, const std::vector<std::string>& references,
              const StopOptions& options, const std::function<int(const std::string&)>& act) {
  int code = 0;
  engine::stop_instances(paths, references, options.patience,
                         [&](const std::string& reference, const base::Error* error) {
                           if (error != nullptr)
                             base::print_error(*error);
                           const int acted = error == nullptr ? act(reference) : engine::kExitFailure;
                           code = std::max(code, acted);
                         });
  return code;
}

int run_stop(const engine::Paths& paths, std::vector<std::string> arguments) {
  StopOptions options;
  const auto references = parse_stop("stop", std::move(arguments), options);
  return stop_each(paths, references, options, [](const std::string& reference) {
    print(reference + "\n");
    return 0;
  });
}

int run_wait(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto references = parse_words("wait", {}, std::move(arguments)).rest;
  require_instances("wait", references);
  // All of them first: one may end, and be gone, while another is waited for.
  std::vector<engine::AwaitedEnd> ends;
  const int opened = for_each_of(references, [&](const std::string& reference) {
    ends.emplace_back(paths, reference);
    return 0;
  });
  const int waited = for_each_of(ends, [](engine::AwaitedEnd& end) {
    print(std::to_string(end.wait()) + "\n");
    return 0;
  });
  return opened != 0 ? opened : waited;
}

}  // namespace trine::runtime::cli
