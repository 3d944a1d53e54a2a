#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cgroups/limits.h"
#include "isolation/plan.h"
#include "runtime/backend/vm.h"
#include "runtime/oci/spec.h"
#include "runtime/policy/isolation_policy.h"

namespace trine::runtime::engine {

/// One of -v, --mount and --tmpfs.
struct VolumeMount {
  enum class Kind { kBind, kTmpfs };
  Kind kind = Kind::kBind;
  std::string source;  ///< absolute, of a bind mount
  std::string target;
  bool read_only = false;
  bool create_source = false;                              ///< -v makes a missing directory, --mount does not
  std::vector<std::string> options;                        ///< of the runtime specification, beside the above
  std::vector<oci::IdMapping> uid_mappings, gid_mappings;  ///< of the owners of its files, both or none
};

/// One of --device: the node on the host and its name in the container.
struct DeviceRequest {
  std::string host_path;
  std::string container_path;
  std::string access = "rwm";
};

enum class NetworkMode { kPrivate, kNone, kHost, kContainer, kNamespace };

struct SecurityOptions {
  bool no_new_privileges = false;
  bool seccomp_unconfined = false;
  std::string seccomp_file;  ///< empty: the default profile
};

/// When the registry is asked for an image.
enum class PullPolicy { kMissing, kAlways, kNever };

/// What is kept of the output of an instance that runs in the background.
struct LogOptions {
  bool is_kept = true;
  std::uint64_t most_bytes = 0;  ///< before a new file is begun; 0: no limit
  unsigned files = 1;            ///< that are kept
};

/// What a person asked for, to be asked for again: words that `trine run` takes, in which no variable of the
/// environment counts, and the directory that paths begin at.
struct SavedRequest {
  std::vector<std::string> words;
  std::string directory;
};

/// Everything `trine run` can be asked for, parsed and typed.
struct RunOptions {
  std::string image;         ///< a name, an id, or TRANSPORT:PATH
  std::string image_digest;  ///< the one that `image` stood for before; empty: what it stands for now
  PullPolicy pull = PullPolicy::kMissing;
  std::string platform;              ///< "linux/arm64"; empty: the image's that is there, else this machine's
  std::string signature_policy;      ///< a file; empty: where containers-policy.json(5) has it
  std::vector<std::string> command;  ///< in place of the image's Cmd
  policy::Request isolation = policy::Request::kUnsaid;
  bool interactive = false;
  bool terminal = false;
  bool remove = false;
  bool detach = false;  ///< in the background
  LogOptions log;
  std::string name;
  std::vector<std::string> env;  ///< NAME=VALUE, in order; NAME alone takes the image's away
  std::optional<std::string> working_directory;
  std::optional<std::string> user;
  std::optional<std::string> entrypoint;  ///< empty: none, not even the image's
  std::string hostname;
  std::vector<VolumeMount> mounts;
  bool read_only = false;
  NetworkMode network = NetworkMode::kPrivate;
  std::string network_container;
  std::string network_namespace;  ///< a path
  cgroups::Limits limits;
  backend::PageOptions vm_pages;
  backend::Rate vm_net_rate, vm_disk_rate;
  std::optional<unsigned> vm_net_queues;  ///< of each interface
  std::vector<isolation::Rlimit> ulimits;
  std::vector<std::string> cap_add, cap_drop;
  SecurityOptions security;
  bool privileged = false;
  std::vector<DeviceRequest> devices;
  std::optional<std::uint64_t> shm_bytes;
  std::vector<std::pair<std::string, std::string>> sysctls;
  bool init = false;
  std::vector<std::pair<std::string, std::string>> labels, annotations;
  std::string stop_signal;
  std::string cidfile;
  SavedRequest request;  ///< all of the above
};

}  // namespace trine::runtime::engine
