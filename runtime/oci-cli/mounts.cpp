#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <ranges>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "command.h"
#include "commands.h"
#include "isolation/live_mount.h"
#include "isolation/mount_options.h"
#include "runtime/backend/container.h"
#include "store.h"

namespace trine::runtime::oci_cli {
namespace {

using isolation::LiveContainer;
using isolation::Mount;
constexpr std::size_t kMaxList = 1 << 20;

/// `process` is open already: its number is its own while the namespaces are looked at, or setns() fails.
LiveContainer live(const Container& container, int process) {
  constexpr std::uint64_t kEntered = CLONE_NEWNS | CLONE_NEWUSER;
  return {.pidfd = process, .namespaces = backend::foreign_namespaces(container.state.pid) & kEntered};
}

Mount to_mount(const oci::Mount& entry) {
  Mount mount{.destination = entry.destination, .type = entry.type, .source = entry.source};
  isolation::parse_mount_options(entry.options, mount);
  if (!mount.bind)
    return mount;
  if (!mount.data.empty())
    throw base::Error("a bind mount has no option '" + mount.data + "'", 0,
                      "ro, nosuid, nodev, noexec and their kin");
  if (mount.copy_up)
    throw base::Error("tmpcopyup cannot be asked of a bind mount");
  return mount;
}

std::vector<Mount> read_list(const std::string& file) {
  std::vector<Mount> mounts;
  for (const auto& entry : oci::parse_mounts(base::read_file(file, kMaxList)))
    mounts.push_back(to_mount(entry));
  return mounts;
}

/// SOURCE DESTINATION [OPTIONS]
Mount from_words(const Arguments& words) {
  oci::Mount entry{.destination = words[1], .type = "bind", .source = words[0], .options = {"rbind"}};
  if (words.size() > 2) {
    for (const auto& option : base::split(words[2], ',', base::SplitEmpty::kSkip))
      entry.options.push_back(option);
  }
  return to_mount(entry);
}

/// Those that were added before one failed; its error is the one to tell.
void take_back(const LiveContainer& container, std::span<const Mount> added) {
  for (const auto& mount : std::views::reverse(added)) {
    try {
      isolation::remove_live_mount(container, mount.destination);
    } catch (const base::Error& error) {
      base::print_warning(error.what());
    }
  }
}

/// All of them or none.
void add(const LiveContainer& container, const std::vector<Mount>& mounts) {
  std::size_t done = 0;
  try {
    for (; done < mounts.size(); ++done)
      isolation::add_live_mount(container, mounts[done]);
  } catch (const base::Error&) {
    take_back(container, {mounts.data(), done});
    throw;
  }
}

/// A place in the container, or a file that lists mounts, last of which goes first.
void remove(const LiveContainer& container, const std::string& what) {
  const bool is_file = ::access(what.c_str(), R_OK) == 0;
  if (what.starts_with('/') || !is_file) {
    if (isolation::remove_live_mount(container, what))
      return;
  }
  struct stat status{};
  if (!is_file || ::stat(what.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    throw base::Error("nothing is mounted on " + what + " in the container");
  for (const auto& mount : std::views::reverse(read_list(what))) {
    if (!isolation::remove_live_mount(container, mount.destination))
      throw base::Error("nothing is mounted on " + mount.destination + " in the container");
  }
}

}  // namespace

int run_mounts(const Globals& globals, Arguments arguments) {
  auto rest = parse("mounts", {}, std::move(arguments), 3, 5).rest;
  const std::string verb = rest[0];
  const std::string id = rest[1];
  rest.erase(rest.begin(), rest.begin() + 2);
  if (verb != "add" && verb != "remove")
    throw base::Error("trine-oci mounts has no command " + verb, 0, "it is add or remove");
  if (verb == "remove" && rest.size() != 1)
    throw base::Error("trine-oci mounts remove takes one place, or one file");

  const Container container = Container::open(globals.root, id, Container::Access::kChange);
  const Status status = container.status();
  const base::UniqueFd process = container.open_process();
  if (!process || status == Status::kCreating || status == Status::kStopped)
    throw base::Error("cannot change the mounts of container " + id + ": container not running");
  const LiveContainer target = live(container, process.get());
  if (verb == "remove")
    remove(target, rest.front());
  else
    add(target, rest.size() == 1 ? read_list(rest.front()) : std::vector<Mount>{from_words(rest)});
  return 0;
}

}  // namespace trine::runtime::oci_cli
