#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "base/time.h"
#include "cgroups/group.h"
#include "layout.h"
#include "record.h"
#include "runtime/backend/recorded_process.h"
#include "runtime/backend/vm_network.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

struct Dead {
  std::string id;
  base::UniqueFd lock;
};

/// Instances whose lock is free, each locked by us now, so that two repairs do not meet.
std::vector<Dead> lock_dead(const Paths& paths, const std::vector<std::string>& ids) {
  std::vector<Dead> dead;
  // Keeps away those who are just making an instance and have not locked it yet; they go first.
  const base::UniqueFd birth = try_lock_directory(run_root(paths), LockKind::kExclusive);
  if (!birth)
    return dead;
  for (const auto& id : ids) {
    if (auto lock = try_lock_directory(run_root(paths) + "/" + id, LockKind::kExclusive)) {
      dead.push_back({id, std::move(lock)});
    }
  }
  return dead;
}

/// Kills the first process of an instance, and with its pid namespace all others. It is not our child, so its
/// end is waited for by its pidfd: of all its threads, since a monitor's hold its network until they end.
void kill_process(const Record& record) {
  const base::UniqueFd process = backend::open_rest_of_process(record.pid, record.start_time);
  if (!process)
    return;
  (void)backend::send_signal(process.get(), SIGKILL, record.name);
  constexpr int kPatienceMs = 5000;
  backend::wait_for_end(process.get(), kPatienceMs);
}

/// Those of the record, and those that were made before there was one.
void remove_groups(const std::string& id, std::vector<std::string> directories) {
  for (const auto& hierarchy : cgroups::detect().all) {
    const std::string directory = hierarchy.mount_point + "/" + cgroup_name(id);
    if (std::ranges::find(directories, directory) == directories.end())
      directories.push_back(directory);
  }
  cgroups::end_group(directories);
}

/// Whatever it is called: one that was killed early has no record that says it.
void release_name(const Paths& paths, const std::string& id) {
  for (const auto& name : directory_entries(name_root(paths))) {
    const std::string link = name_root(paths) + "/" + name;
    std::string owner(id.size() + 1, '\0');
    const ssize_t size = ::readlink(link.c_str(), owner.data(), owner.size());
    if (size == static_cast<ssize_t>(id.size()) && owner.starts_with(id))
      ::unlink(link.c_str());
  }
}

/// Ends what runs, then takes away what is left. The directory in `<run>` goes last: should we be killed
/// here, the next repair begins anew.
void bury(const Paths& paths, const std::string& id) {
  auto record = read_record(run_root(paths) + "/" + id);
  if (record)
    kill_process(*record);
  backend::part_network(run_root(paths) + "/" + id);
  remove_groups(id, record ? record->cgroups : std::vector<std::string>{});
  // One that has an exit code ended well, but its record could not be written where it lasts.
  const bool ran = record && (has_process(*record) || record->exit_code);
  if (ran && !record->remove) {
    if (!record->exit_code) {
      record->status = "exited";
      record->exit_code = 137;
      record->error = "the process of trine that ran it was killed";
      record->finished = base::now_utc();
      record->pid = 0;
    }
    const std::string layer = lib_root(paths) + "/" + id;
    ensure_private_directory(layer);
    keep_record(layer, *record);
  } else if (!ran && read_record(lib_root(paths) + "/" + id)) {
    // It was being started again: what it had is as it was.
  } else {
    if (!remove_layer(paths, id))
      return;
    release_name(paths, id);
  }
  remove_below(run_root(paths), id);
}

}  // namespace

void repair(const Paths& paths) {
  const auto ids = directory_entries(run_root(paths));
  if (ids.empty())
    return;
  const auto all_dead = lock_dead(paths, ids);
  for (const auto& dead : all_dead) {
    try {
      bury(paths, dead.id);
    } catch (const base::Error& error) {
      base::print_warning("cannot clear away the dead instance " + dead.id.substr(0, 12) + ": " +
                          error.what());
    }
  }
  if (!all_dead.empty())
    open_store(paths).unmount_unused();
}

}  // namespace trine::runtime::engine
