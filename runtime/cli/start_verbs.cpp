#include "start_verbs.h"

#include "attach_verb.h"
#include "base/error.h"
#include "flags.h"
#include "lifecycle_verbs.h"
#include "on_each.h"
#include "run_flags.h"
#include "runtime/engine/start.h"

namespace trine::runtime::cli {
namespace {

using Text = const std::string&;

struct StartOptions {
  bool attach = false;
  engine::AttachRequest request{.input = false, .detach_keys = kDetachKeys};
};

const Flag<StartOptions> kStartFlags[] = {
    {{"-a,--attach", nullptr, "Flags", "stay with it, as trine attach does, and exit with its exit code"},
     [](StartOptions& o, Text v) { o.attach = is_on(v); }},
    {{"-i,--interactive", nullptr, "Flags", "what is typed goes to it, too"},
     [](StartOptions& o, Text v) { o.request.input = is_on(v); }},
    {{"--detach-keys", "KEYS", "Flags", kDetachKeysText},
     [](StartOptions& o, Text v) { o.request.detach_keys = read_detach_keys(v); }},
    {{"--sig-proxy", nullptr, "Flags", kSignalProxyText},
     [](StartOptions& o, Text v) { o.request.pass_on_signals = is_on(v); }},
};

}  // namespace

std::vector<FlagText> start_flag_texts() {
  return flag_texts(kStartFlags);
}

int run_create(const engine::Paths& paths, std::vector<std::string> arguments) {
  const engine::RunOptions options = parse_run(std::move(arguments), "create");
  if (options.detach)
    throw base::Error("--detach cannot be given to trine create", 0, "trine start runs it in the background");
  return engine::create(options, paths);
}

int run_start(const engine::Paths& paths, std::vector<std::string> arguments) {
  StartOptions options;
  const auto references = parse_flags("start", kStartFlags, std::move(arguments), options);
  require_instances("start", references);
  if (options.attach || options.request.input) {
    if (references.size() > 1)
      throw base::Error("trine start --attach takes one instance", 0, "start the others without it");
    return engine::start_attached(paths, references.front(), parse_again, options.request);
  }
  return for_each_of(references, [&](Text reference) {
    const int code = engine::start_instance(paths, reference, parse_again);
    if (code == 0)
      print(reference + "\n");
    return code;
  });
}

int run_restart(const engine::Paths& paths, std::vector<std::string> arguments) {
  StopOptions options;
  const auto references = parse_stop("restart", std::move(arguments), options);
  return stop_each(paths, references, options, [&](Text reference) {
    const int code = engine::start_instance(paths, reference, parse_again);
    if (code == 0)
      print(reference + "\n");
    return code;
  });
}

}  // namespace trine::runtime::cli
