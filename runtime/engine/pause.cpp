#include "pause.h"

#include <fcntl.h>

#include "base/error.h"
#include "base/file.h"
#include "cgroups/group.h"
#include "layout.h"
#include "runtime/engine/lifecycle.h"

namespace trine::runtime::engine {
namespace {

/// Where the host's freezer is a hierarchy of its own, the group has got a directory there: who clears away
/// after a killed trine finds it in the record.
void record_groups(const Paths& paths, Record record, const cgroups::Group& group) {
  if (group.directories() == record.cgroups)
    return;
  record.cgroups = group.directories();
  const base::UniqueFd directory = base::open_file(run_root(paths) + "/" + record.id, O_RDONLY | O_DIRECTORY);
  base::replace_file(directory.get(), "record.json", to_json(record), base::Durability::kMemory, 0600);
}

void freeze(const Paths& paths, const Record& record) {
  if (record.cgroups.empty()) {
    throw base::Error("it has no cgroup", 0,
                      "an ordinary user needs a cgroup of version 2 that is delegated to him");
  }
  cgroups::Group group = cgroups::open_group(record.cgroups);
  group.freeze();
  record_groups(paths, record, group);
}

[[noreturn]] void refuse(const char* what, const std::string& reference, const base::Error& why) {
  throw base::Error(std::string("cannot ") + what + " " + reference + ": " + why.message(), why.errno_value(),
                    why.hint());
}

}  // namespace

void pause_instance(const Paths& paths, const std::string& reference) {
  const RunningInstance instance = find_running(paths, reference, "pause");
  if (is_paused(instance.record))
    throw base::Error("cannot pause " + reference + ": it is paused already");
  try {
    if (instance.record.isolation != kVmClass)
      freeze(paths, instance.record);
    else if (!backend::pause_vm(control_socket(paths, instance.record)))
      throw base::Error("it is not running");
  } catch (const base::Error& error) {
    refuse("pause", reference, error);
  }
}

void unpause_instance(const Paths& paths, const std::string& reference) {
  const RunningInstance instance = find_running(paths, reference, "unpause");
  if (!is_paused(instance.record))
    throw base::Error("cannot unpause " + reference + ": it is not paused");
  try {
    resume(paths, instance.record);
  } catch (const base::Error& error) {
    refuse("unpause", reference, error);
  }
}

bool is_paused(const Record& record) {
  return record.status == "paused";
}

void resume(const Paths& paths, const Record& record) {
  if (record.isolation == kVmClass)
    (void)backend::resume_vm(control_socket(paths, record));  // false: it has ended, and stands still no more
  else
    cgroups::open_group(record.cgroups).thaw();
}

}  // namespace trine::runtime::engine
