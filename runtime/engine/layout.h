#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/backend/vm_exec.h"
#include "runtime/engine/instance.h"

/// Where instances are on disk, and the locks that tell the living from the dead.
namespace trine::runtime::engine {

inline std::string run_root(const Paths& paths) {
  return paths.run + "/instances";
}
inline std::string lib_root(const Paths& paths) {
  return paths.lib + "/instances";
}
inline std::string name_root(const Paths& paths) {
  return paths.lib + "/names";
}

/// The name of an instance's cgroup in every hierarchy: known before the group is made, so that one whose
/// trine was killed at any moment is found again.
inline std::string cgroup_name(const std::string& id) {
  return "trine-" + id.substr(0, 24);
}

/// Before the path, where an image is asked for.
constexpr std::string_view kBundle = "bundle:";

/// Record::isolation of class vm.
constexpr const char* kVmClass = "vm";

/// Where the trine that runs an instance of class vm listens for others.
inline std::string control_socket(const Paths& paths, const Record& record) {
  return run_root(paths) + "/" + record.id + "/" + backend::kControlSocket;
}

/// In an instance's directory in `<run>`: what its first process was given; when that has ended, kExitText
/// and the exit code stand over its beginning, as a line.
constexpr const char* kProcessFile = "process";
constexpr const char* kExitText = "exit code ";
inline std::string process_file(const Paths& paths, const std::string& id) {
  return run_root(paths) + "/" + id + "/" + kProcessFile;
}

/// In an instance's directory in `<lib>`: what it has written, see trine-supervisor.
inline std::string log_file(const Paths& paths, const std::string& id) {
  return lib_root(paths) + "/" + id + "/log";
}

/// Makes `path` when it is missing, closed to others: a layer holds set-user-id programs of strangers.
void ensure_private_directory(const std::string& path);

/// Locks a directory. Empty when somebody else has it or it is not there.
enum class LockKind { kShared, kExclusive };
base::UniqueFd try_lock_directory(const std::string& path, LockKind kind);
/// Waits for the lock. Throws Error.
base::UniqueFd lock_directory(const std::string& path, LockKind kind);

/// Waits until the trine, or the supervisor, of an instance has let go of it, its end written down.
void await_release(const Paths& paths, const Record& record);

/// Keeps what an instance has written from being removed while it is read. Throws Error when there is
/// nothing.
base::UniqueFd hold_layer(const Paths& paths, const std::string& id);
/// Removes it. False when somebody reads it: then nothing is done, and the next repair() tries again.
bool remove_layer(const Paths& paths, const std::string& id);

/// Names in a directory but "." and ".."; none when it does not exist.
std::vector<std::string> directory_entries(const std::string& path);

/// Removes the tree `directory`/`name`; nothing to do when either is missing.
void remove_below(const std::string& directory, const std::string& name);

}  // namespace trine::runtime::engine
