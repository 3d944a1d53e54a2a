#include <regex.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <iterator>

#include "base/error.h"
#include "base/log.h"
#include "cgroups/group.h"
#include "command.h"
#include "commands.h"
#include "isolation/signals.h"
#include "launch.h"
#include "log.h"
#include "runtime/backend/recorded_process.h"
#include "runtime/backend/vm_exec.h"
#include "vm_keeper.h"

namespace trine::runtime::oci_cli {
namespace {

using Text = const std::string&;

struct KillOptions {
  bool all = false;
  bool regex = false;
};
constexpr args::Flag<KillOptions> kKillFlags[] = {
    {{"-a,--all", nullptr, nullptr, "to all its processes"},
     [](KillOptions& o, Text v) { o.all = args::is_on(v); }},
    {{"-r,--regex", nullptr, nullptr, "to all containers whose ids match the regular expression"},
     [](KillOptions& o, Text v) { o.regex = args::is_on(v); }},
};

struct DeleteOptions {
  bool force = false;
  bool regex = false;
};
constexpr args::Flag<DeleteOptions> kDeleteFlags[] = {
    {{"-f,--force", nullptr, nullptr, "end it first when it runs; no error when it is not there"},
     [](DeleteOptions& o, Text v) { o.force = args::is_on(v); }},
    {{"-r,--regex", nullptr, nullptr, "all whose ids match the regular expression"},
     [](DeleteOptions& o, Text v) { o.regex = args::is_on(v); }},
};

int parse_signal(const std::string& text) {
  if (text == "0")  // sends nothing: the caller wants to know whether it could
    return 0;
  const auto number = isolation::parse_signal(text);
  if (!number)
    throw base::Error("unknown signal '" + text + "'", 0,
                      "it is a number or a name, as in 9, KILL or SIGKILL");
  return *number;
}

/// `expression` as in grep -E.
std::vector<std::string> matching_ids(const std::string& root, const std::string& expression) {
  regex_t compiled;
  if (::regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
    throw base::Error("'" + expression + "' is no regular expression", 0, "as grep -E takes them");
  auto ids = container_ids(root);
  std::erase_if(ids,
                [&](const std::string& id) { return ::regexec(&compiled, id.c_str(), 0, nullptr, 0) != 0; });
  ::regfree(&compiled);
  return ids;
}

void signal_all(const State& state, int number) {
  const cgroups::Group group = cgroups::open_group(state.cgroups);
  if (number == SIGKILL)
    return group.kill_all();
  for (const pid_t pid : group.processes())
    ::kill(pid, number);
}

/// To the first process in the guest: its trine passes it on.
void signal_guest(const Globals& globals, const std::string& id, int number) {
  if (number != 0 && !backend::signal_vm(control_socket(globals, id), number))
    throw base::Error("container not running");
}

/// Whether the kernel ends all its processes with the first one.
bool has_own_processes(const Container& container) {
  return std::ranges::any_of(container.load_spec().linux_part.namespaces, [](const oci::Namespace& entry) {
    return entry.type == "pid" && entry.path.empty();
  });
}

/// Ends what shares a pid namespace with others: nobody else does, and the first process may be gone already.
/// False: there was nothing to end.
bool end_sharing_container(const Container& container) {
  if (container.state.cgroups.empty())
    return false;
  const cgroups::Group group = cgroups::open_group(container.state.cgroups);
  if (group.processes().empty())
    return false;
  group.kill_all();
  return true;
}

void signal_first(const Container& container, int number) {
  const base::UniqueFd process = container.open_process();
  if (!process || !backend::send_signal(process.get(), number, "container " + container.state.id))
    throw base::Error("container not running");
}

/// A container whose `create` was killed very early, or whose files are damaged, must go all the same.
void remove_remains(Container& container) {
  try {
    const oci::Spec spec = container.load_spec();
    destroy(container, &spec);
  } catch (const base::Error&) {
    destroy(container, nullptr);
  }
}

void end_first(const Container& container) {
  const base::UniqueFd process = container.open_process();
  if (process)
    (void)backend::send_signal(process.get(), SIGKILL, "container " + container.state.id);
}

void delete_one(const Globals& globals, const std::string& id, bool force) {
  Container container =
      Container::open(globals.root, id, force ? Container::Access::kRemove : Container::Access::kChange);
  const Status status = container.status();
  const bool over = status == Status::kStopped || status == Status::kCreated;
  if (!over && !force) {
    throw base::Error("cannot delete container " + id + ": it is " + name_of(status), 0,
                      "kill it first, or use --force");
  }
  end_first(container);
  remove_remains(container);
}

/// Does the work for each id; what fails for one is told, and keeps no other. Returns the exit code.
int for_each(const Globals& globals, const Arguments& ids,
             const std::function<void(const std::string&)>& work) {
  int code = 0;
  for (const auto& id : ids) {
    try {
      work(id);
    } catch (const base::Error& error) {
      if (ids.size() == 1)
        throw;
      const bool named = error.message().find(id) != std::string::npos;
      report(globals,
             named ? error : base::Error(id + ": " + error.message(), error.errno_value(), error.hint()));
      code = 1;
    }
  }
  return code;
}

void kill_one(const Globals& globals, const std::string& id, int number, bool all) {
  const Container container = Container::open(globals.root, id, Container::Access::kRead);
  const Status status = container.status();
  const bool guest_runs = container.state.vm && (status == Status::kRunning || status == Status::kPaused);
  if (guest_runs && !(all && number == SIGKILL))
    signal_guest(globals, id, number);
  else if (all)
    signal_all(container.state, number);
  else if (number != SIGKILL || has_own_processes(container) || !end_sharing_container(container))
    signal_first(container, number);
}

}  // namespace

FlagTexts kill_flags() {
  return args::flag_texts(kKillFlags);
}

FlagTexts delete_flags() {
  return args::flag_texts(kDeleteFlags);
}

int run_kill(const Globals& globals, Arguments arguments) {
  KillOptions options;
  const auto rest = parse("kill", kKillFlags, std::move(arguments), options, 1, 2);
  const int number = parse_signal(rest.size() > 1 ? rest[1] : "SIGTERM");
  const auto ids = options.regex ? matching_ids(globals.root, rest.front()) : Arguments{rest.front()};
  return for_each(globals, ids, [&](const std::string& id) { kill_one(globals, id, number, options.all); });
}

int run_delete(const Globals& globals, Arguments arguments) {
  DeleteOptions options;
  auto ids = parse("delete", kDeleteFlags, std::move(arguments), options, 1, 10'000);
  if (options.regex) {
    Arguments found;
    for (const auto& expression : ids)
      std::ranges::move(matching_ids(globals.root, expression), std::back_inserter(found));
    ids = std::move(found);
  }
  return for_each(globals, ids, [&](const std::string& id) {
    try {
      delete_one(globals, id, options.force);
    } catch (const NotFound&) {
      if (!options.force)
        throw;
    }
  });
}

}  // namespace trine::runtime::oci_cli
