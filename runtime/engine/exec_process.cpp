#include "exec_process.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "environment.h"
#include "isolation/capabilities.h"
#include "layout.h"
#include "runtime/attach/attach.h"

namespace trine::runtime::engine {
namespace {

/// A command line and an environment have 2 MiB at most, a filter far less.
constexpr std::size_t kMostBytes = 8 << 20;

void set_environment(std::vector<std::string>& env, const ExecOptions& options) {
  const bool has_term =
      std::ranges::any_of(env, [](const auto& entry) { return entry.starts_with("TERM="); });
  if (options.terminal && !has_term)
    env.emplace_back("TERM=xterm");
  for (const auto& entry : options.env)
    apply_env(env, entry);
}

/// As `run` gives them: root has all that the instance may have, another user none to begin with. Nothing is
/// inheritable (CVE-2022-29162).
isolation::Capabilities capabilities(std::uint64_t bounding, bool root) {
  const std::uint64_t own = root ? bounding : 0;
  return {.bounding = bounding, .effective = own, .permitted = own};
}

void set_user(isolation::Process& process, const ExecOptions& options) {
  const bool other_user = options.user && !options.user->empty();
  if (other_user) {
    process.user = {.name = *options.user, .umask = process.user.umask};
    process.resolve_user = true;
  }
  if (!other_user && !options.privileged)
    return;
  const bool root = process.resolve_user ? is_root(process.user.name) : process.user.uid == 0;
  process.capabilities = capabilities(
      options.privileged ? isolation::available_capabilities() : process.capabilities.bounding, root);
}

}  // namespace

backend::JoinedProcess load_first_process(const Paths& paths, const Record& record) {
  const std::string bytes = base::read_file(process_file(paths, record.id), kMostBytes);
  if (bytes.starts_with(kExitText))
    throw base::Error("cannot exec in " + record.name + ": it is not running");
  auto process = backend::decode_process(bytes);
  if (!process)
    throw base::Error("cannot exec in " + record.name + ": another version of trine started it", 0,
                      "use that version, or start the instance again");
  return std::move(*process);
}

backend::JoinedProcess make_exec_process(backend::JoinedProcess first, const ExecOptions& options) {
  isolation::Process& process = first.process;
  process.args = options.command;
  process.terminal = options.terminal;
  process.window_size = options.terminal ? attach::own_window_size() : std::nullopt;
  process.init = false;
  // A directory that is missing is a mistake of who calls, not an image's omission.
  process.create_cwd = false;
  if (options.working_directory)
    process.cwd = *options.working_directory;
  set_environment(process.env, options);
  set_user(process, options);
  return first;
}

}  // namespace trine::runtime::engine
