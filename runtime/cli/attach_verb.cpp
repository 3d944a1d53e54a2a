#include "attach_verb.h"

#include "base/error.h"
#include "flags.h"
#include "run_values.h"
#include "runtime/engine/attach_instance.h"

namespace trine::runtime::cli {
namespace {

using Text = const std::string&;

const Flag<engine::AttachRequest> kFlags[] = {
    {{"--detach-keys", "KEYS", "Flags", kDetachKeysText},
     [](engine::AttachRequest& o, Text v) { o.detach_keys = read_detach_keys(v); }},
    {{"--no-stdin", nullptr, "Flags", "only show what it writes"},
     [](engine::AttachRequest& o, Text v) { o.input = !is_on(v); }},
    {{"--sig-proxy", nullptr, "Flags", kSignalProxyText},
     [](engine::AttachRequest& o, Text v) { o.pass_on_signals = is_on(v); }},
};

}  // namespace

std::string read_detach_keys(const std::string& text) {
  const auto keys = engine::parse_detach_keys(text);
  if (!keys)
    refuse("--detach-keys", text, "it is no list of keys", "letters and ctrl-LETTER, as in ctrl-p,ctrl-q");
  return *keys;
}

std::vector<FlagText> attach_flag_texts() {
  return flag_texts(kFlags);
}

int run_attach(const engine::Paths& paths, std::vector<std::string> arguments) {
  engine::AttachRequest request{.detach_keys = kDetachKeys};
  const auto references = parse_flags("attach", kFlags, std::move(arguments), request);
  if (references.size() != 1)
    throw base::Error("trine attach needs one instance", 0, "trine ps lists them");
  return engine::attach_to_instance(paths, references.front(), request);
}

}  // namespace trine::runtime::cli
