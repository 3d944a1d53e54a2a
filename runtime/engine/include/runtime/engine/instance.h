#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/engine/paths.h"

/// Instances as files. One is alive as long as somebody holds the lock on its directory below
/// `<run>/instances`, which ends with the holder's process however that ends; what outlives it (a writable
/// layer, a record of how it ended) is below `<lib>/instances`.
namespace trine::runtime::engine {

/// What is written down of an instance, as JSON.
struct Record {
  std::string id;  ///< 64 hexadecimal digits
  std::string name;
  std::string image;  ///< as the user gave it
  std::string image_digest;
  std::string bundle;                   ///< of `bundle:DIR`
  std::string isolation = "container";  ///< or "vm"
  std::uint64_t vm_memory_bytes = 0;    ///< of a VM's machine
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::pair<std::string, std::string>> annotations;
  std::string created;  ///< RFC 3339, UTC
  bool remove = false;  ///< --rm
  bool terminal = false;
  std::string stop_signal;
  std::vector<std::string> cgroups;  ///< directories made for it
  std::string status = "created";    ///< created, starting (again), running, paused, exited
  pid_t pid = 0;                     ///< of its first process, on the host; or of who starts it again
  std::uint64_t start_time = 0;      ///< of that process, in clock ticks since boot: tells a reused pid
  std::optional<int> exit_code;
  bool oom_killed = false;
  std::string error;  ///< why, when it was not its program that ended it
  std::string finished;
};

/// Whether it has begun and not ended: it may be paused.
inline bool has_process(const Record& record) {
  return record.status == "running" || record.status == "paused";
}

constexpr const char* kStarting = "starting";

/// As it is written down, and as `inspect` shows it.
std::string to_json(const Record& record);

/// An instance of ours. The destructor takes everything of it away that is not to be kept: the directory in
/// `<run>`, and with `remove` (or when it never ran) the one in `<lib>` and its name.
class Instance {
 public:
  /// Claims a new id and `name` (empty: one is made up). Throws Error when the name is taken.
  static Instance create(const Paths& paths, const std::string& name, bool remove);

  /// One that has ended, or was only made, to run again. Throws Error when it runs.
  static Instance reopen(const Paths& paths, const Record& record);
  /// One that another process of ours has started: its lock, and what is written down of it. Throws Error.
  static Instance take_over(const Paths& paths, const std::string& id, base::UniqueFd lock);

  Instance(Instance&&) = default;
  Instance& operator=(Instance&&) = delete;
  ~Instance();

  [[nodiscard]] Record& record() { return record_; }
  [[nodiscard]] const Record& record() const { return record_; }

  /// The descriptor of its lock.
  [[nodiscard]] int lock() const { return lock_.get(); }

  /// Makes the directory for what outlives the instance, once, and returns its path.
  const std::string& make_layer_directory();
  /// "<run>/instances/<id>", for small files that are mounted into it.
  [[nodiscard]] const std::string& run_directory() const { return run_directory_; }

  /// Keeps what the first process is given in a file (kProcessFile), which gets its exit code in the end. To
  /// be called before save().
  void keep_process(std::string_view process);
  /// Writes the record down; what stands there after a kill -9 is what repair() goes by.
  void save() const;
  /// The instance ran and ended: keep its record and layer unless `remove`. Throws Error when the record
  /// cannot be written: then it stays with those that are alive, for repair() to try again.
  void finish(int exit_code, bool oom_killed);
  /// It was made, to be started later: keep its record. Throws Error.
  void keep_unstarted();
  /// In a child: let go of the lock without taking anything away.
  void forget();

 private:
  Instance() = default;
  Paths paths_;
  Record record_;
  std::string run_directory_;
  std::string layer_directory_;
  base::UniqueFd lock_;
  base::UniqueFd process_;
  bool keep_ = false;
  bool abandoned_ = false;  ///< nothing is to be taken away
  bool owned_ = true;
};

/// Instances on this machine, alive and kept, oldest first.
std::vector<Record> list_instances(const Paths& paths);

/// By name, id, or an unambiguous prefix of the id. Throws Error when there is none.
Record find_instance(const Paths& paths, const std::string& reference);

/// An instance, and its first process while that runs: held, so that its number cannot become another's.
struct RunningInstance {
  Record record;
  base::UniqueFd process;  ///< a pidfd; empty: it does not run
};
RunningInstance open_instance(Record record);

/// The same for who is to end it: of one that is being started again, the trine that does it, and becomes its
/// supervisor.
RunningInstance open_to_end(Record record);

/// The same for one that must run. Throws Error "cannot `purpose` …: it is not running".
RunningInstance find_running(const Paths& paths, const std::string& reference, const std::string& purpose);

/// Removes an instance that has ended; with `force`, kills it first. Throws Error when it runs.
void remove_instance(const Paths& paths, const std::string& reference, bool force);

/// Ends and clears away what a killed trine left: processes, cgroups, layers, names. Cheap when there is
/// nothing; never touches an instance that is alive.
void repair(const Paths& paths);

}  // namespace trine::runtime::engine
