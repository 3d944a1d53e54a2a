#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "cgroups/group.h"
#include "layout.h"
#include "pause.h"
#include "record.h"
#include "runtime/backend/recorded_process.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

/// A container that is paused says so by its cgroup alone, whoever froze it. A VM's record is kept by its
/// trine.
bool is_frozen(const Record& record) {
  return record.status == "running" && record.isolation != kVmClass && !record.cgroups.empty() &&
         cgroups::open_group(record.cgroups).is_frozen();
}

}  // namespace

std::vector<Record> list_instances(const Paths& paths) {
  std::vector<Record> records;
  const auto add = [&records](const std::string& root) {
    for (const auto& id : directory_entries(root)) {
      auto record = read_record(root + "/" + id);
      const bool known = std::ranges::any_of(records, [&](const Record& other) { return other.id == id; });
      if (record && !known) {
        if (is_frozen(*record))
          record->status = "paused";
        records.push_back(std::move(*record));
      }
    }
  };
  add(run_root(paths));
  add(lib_root(paths));
  std::ranges::sort(records, {}, &Record::created);
  return records;
}

Record find_instance(const Paths& paths, const std::string& reference) {
  std::vector<Record> matches;
  for (auto& record : list_instances(paths)) {
    if (record.name == reference || record.id == reference)
      return record;
    if (!reference.empty() && record.id.starts_with(reference))
      matches.push_back(std::move(record));
  }
  if (matches.size() == 1)
    return matches.front();
  if (matches.empty()) {
    throw base::Error("there is no instance " + reference, 0, "trine ps -a lists those there are");
  }
  throw base::Error("the id " + reference + " is ambiguous: " + std::to_string(matches.size()) +
                    " instances begin with it");
}

RunningInstance open_instance(Record record) {
  RunningInstance instance{.record = std::move(record)};
  if (has_process(instance.record))
    instance.process = backend::open_process(instance.record.pid, instance.record.start_time);
  return instance;
}

RunningInstance open_to_end(Record record) {
  if (record.status != kStarting)
    return open_instance(std::move(record));
  RunningInstance instance{.record = std::move(record)};
  instance.process = backend::open_process(instance.record.pid, instance.record.start_time);
  return instance;
}

RunningInstance find_running(const Paths& paths, const std::string& reference, const std::string& purpose) {
  RunningInstance instance = open_instance(find_instance(paths, reference));
  if (!instance.process)
    throw base::Error("cannot " + purpose + " " + reference + ": it is not running");
  return instance;
}

void remove_instance(const Paths& paths, const std::string& reference, bool force) {
  const Record record = find_instance(paths, reference);
  const std::string run_directory = run_root(paths) + "/" + record.id;
  const std::string layer = lib_root(paths) + "/" + record.id;
  const base::UniqueFd claim = try_lock_directory(layer, LockKind::kExclusive);
  if (!claim && ::access(layer.c_str(), F_OK) == 0) {
    throw base::Error("cannot remove " + record.name + ": its files are being read", EBUSY,
                      "wait for the trine export, commit or diff of it, or end that");
  }
  if (::access(run_directory.c_str(), F_OK) == 0) {
    if (!force) {
      throw base::Error("cannot remove " + record.name + ": it is running", 0,
                        "trine rm --force " + record.name);
    }
    if (const auto process = backend::open_process(record.pid, record.start_time))
      (void)backend::send_signal(process.get(), SIGKILL, record.name);
    if (is_paused(record) && record.isolation != kVmClass)
      resume(paths, record);  // a freezer of version 1 lets nothing end
    // Its own trine sees the end, writes it down and lets go of the lock.
    const base::UniqueFd ended(::open(run_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (ended)
      lock_directory(run_directory, LockKind::kExclusive);
  }
  ::unlink((name_root(paths) + "/" + record.name).c_str());
  remove_below(lib_root(paths), record.id);
}

}  // namespace trine::runtime::engine
