#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "cgroups/group.h"
#include "cgroups/limits.h"
#include "isolation/plan.h"
#include "netns/interfaces.h"
#include "runtime/attach/attach.h"

/// The VM class: an instance under its own kernel, in trine's own monitor. Where it cannot be had, there is
/// an error: it never becomes a container.
namespace trine::runtime::backend {

/// What a VM without --memory and --cpus gets.
constexpr std::uint64_t kVmMemory = 512ULL << 20U;
constexpr unsigned kVmCpus = 1;
/// A stock kernel and the agent do not come up with less.
constexpr std::uint64_t kLeastVmMemory = 128ULL << 20U;

/// A directory or regular file of the host that the guest sees.
struct VmShare {
  base::UniqueFd source;  ///< open with O_PATH
  std::string tag;        ///< its name in the guest; guest_share(tag, …) is where
  bool read_only = false;
};

/// Most that a VM can have.
constexpr std::size_t kMostShares = 32;

/// A network interface of the guest's: the queues of the tap that is its cable, and what it is to be in the
/// guest.
struct VmNic {
  std::vector<base::UniqueFd> taps;
  netns::Interface interface;
};

/// How the host keeps a guest's memory.
struct PageOptions {
  bool merged = false;  ///< pages that are the same in several machines are kept once (KSM)
  bool small = false;   ///< no huge pages
  [[nodiscard]] bool is_given() const { return merged || small; }
};

/// What a device may do in a second, of which a second's worth may be done at once. 0: as much as it can.
struct Rate {
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;  ///< of packets, or a disk's requests
  [[nodiscard]] bool is_given() const { return bytes > 0 || count > 0; }
};

struct VmOptions {
  std::string kernel_directory;                ///< with `vmlinux` and `modules.cpio`
  std::vector<std::string> kernel_parameters;  ///< after trine's own, which they can undo
  std::vector<std::string> layer_disks;        ///< files with EROFS, topmost first
  std::uint64_t memory_bytes = kVmMemory;
  unsigned cpus = kVmCpus;
  PageOptions pages;
  Rate net_rate;           ///< of each interface, each way
  Rate disk_rate;          ///< of each layer, which is a disk then and not in the guest's address space
  isolation::Plan plan;    ///< its root is made in the guest, of the layers
  cgroups::Limits limits;  ///< inside the guest
  /// Small files for the plan to mount, from guest_file(name).
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<VmShare> shares;
  bool interactive = false;
  /// How long a guest may take from power-on to its agent's first word.
  std::chrono::seconds boot_limit{60};
  std::vector<VmNic> nics;               ///< none: loopback only
  std::string cgroup_name;               ///< of the monitor's group
  std::optional<cgroups::CpuQuota> cpu;  ///< of the monitor, guest and all
  /// The monitor exists, in its cgroup, and waits: the moment to write a record.
  std::function<void(pid_t, const cgroups::Group&)> on_created;
  std::function<void(bool)> on_paused;  ///< its machine stands still, or goes on again; or none
  /// The program runs.
  std::function<void()> on_started;
  base::UniqueFd control;  ///< from make_control_socket(): for other commands
};

struct VmEnd {
  int code = 0;
  bool oom_killed = false;
};

/// Where a file of VmOptions::files is in the guest.
std::string guest_file(const std::string& name);

/// Where a share is in the guest.
std::string guest_share(const std::string& tag, bool is_directory);

/// Most disks that a VM can have layers on.
constexpr std::size_t kMostLayerDisks = 15;

/// Runs the instance in the foreground, from power-on to its process' end. Throws base::Error when it does
/// not come up or its machine ends before its process, isolation::ExecError for the program.
VmEnd run_vm(VmOptions options, const attach::SignalBlock& signals);

}  // namespace trine::runtime::backend
