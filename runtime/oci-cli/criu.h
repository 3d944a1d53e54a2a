#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/oci/spec.h"
#include "state.h"

/// The command lines of the external program criu, and running it.
/// Source: criu(8) of criu 3.17, what Debian 12 has.
namespace trine::runtime::oci_cli {

/// What `checkpoint` and `restore` are both told.
struct CriuOptions {
  std::string image_path = "checkpoint";  ///< absolute after prepare_directories()
  std::string work_path;                  ///< criu's log and figures; empty: image_path
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool ext_unix_sk = false;
  bool shell_job = false;
  bool file_locks = false;
  bool empty_network = false;            ///< --empty-ns network
  std::string cgroups_mode = "soft";     ///< of criu's --manage-cgroups
  std::string parent_path;               ///< checkpoint: of an earlier pre-dump, relative to image_path
  bool pre_dump = false;                 ///< checkpoint: the memory only
  bool leave_running = false;            ///< checkpoint
  std::string lsm_profile, lsm_context;  ///< restore
};

/// The full path of criu. Throws Error that names Debian's package when PATH has none.
std::string find_criu(const std::string& given);

/// Makes paths absolute; makes the image directory for a checkpoint, and the work directory. Throws Error
/// when a restore has no images.
enum class CriuVerb { kDump, kRestore };
void prepare_directories(CriuOptions& options, CriuVerb verb);

/// `dump` or `pre-dump` of the container's processes.
std::vector<std::string> dump_arguments(const CriuOptions& options, const oci::Spec& spec,
                                        const State& state);

/// What a restore needs beside the options.
struct RestorePlace {
  std::string root;                  ///< a mount point with the root file system on it
  std::string pid_file;              ///< must not exist yet
  std::vector<std::string> cgroups;  ///< Group::directories()
  int network = -1;  ///< the network namespace that the configuration names, to be inherited by criu
  std::vector<base::UniqueFd> files;  ///< what restore_arguments opened, to be inherited by criu
};
std::vector<std::string> restore_arguments(const CriuOptions& options, const oci::Spec& spec,
                                           const std::string& bundle, RestorePlace& place);

/// What the first three descriptors of the container's first process are ("pipe:[17]"): kept beside the
/// images, so that a restore can give it ours in their place.
void save_descriptors(const CriuOptions& options, const State& state);

/// Runs criu to its end with our standard streams; `prepare` is called in the child. Throws Error with the
/// first error of criu's log and the place of the log.
void run_criu(const std::string& program, const CriuOptions& options, CriuVerb verb,
              const std::vector<std::string>& arguments, const std::function<void()>& prepare);

}  // namespace trine::runtime::oci_cli
