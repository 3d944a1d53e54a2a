#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/unique_fd.h"
#include "cgroups/group.h"
#include "runtime/backend/vm.h"

namespace trine::runtime::backend {

/// A network interface: the queues of an open tap, and what trine-vmm's --net says of it.
struct MonitorNic {
  std::vector<int> taps;
  std::string options;  ///< "mac=02:00:00:00:00:01,mtu=1500"
};

/// What trine-vmm is started with.
struct MonitorOptions {
  std::string kernel;
  std::vector<std::string> initramfs_files;
  std::string command_line;
  std::uint64_t memory_bytes = 0;
  unsigned cpus = 1;
  PageOptions pages;
  std::vector<std::string> read_only_disks;
  bool map_disks = false;  ///< into the guest's address space
  Rate disk_rate;          ///< of each
  std::vector<VmShare> shares;
  std::vector<MonitorNic> nics;
  std::string cgroup_name;
  std::optional<cgroups::CpuQuota> cpu;  ///< of all its threads together
  /// It exists, in its cgroup, and waits: the moment to write its record.
  std::function<void(pid_t, const cgroups::Group&)> on_created;
};

/// A connection that the guest opened.
struct GuestConnection {
  std::uint32_t port = 0;
  base::UniqueFd socket;
};

/// How the monitor answered what was asked of it.
struct MonitorAnswer {
  bool ok = false;
  std::string text;  ///< what follows: why not
};

/// A trine-vmm that runs, confined (vm_jail.h). It dies with its caller, and the destructor ends it.
class Monitor {
 public:
  /// Throws base::Error when the program or a file is missing, or it cannot be started.
  explicit Monitor(MonitorOptions options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  [[nodiscard]] base::Process& process() { return process_; }
  /// Readable when the guest has opened a connection.
  [[nodiscard]] int channel() const { return channel_.get(); }
  /// Nothing when there is none waiting. When the monitor has closed its end, channel() is -1 from then on.
  [[nodiscard]] std::optional<GuestConnection> accept();

  /// Ask something of the machine. False: the monitor takes nothing. Each that was asked is answered, in
  /// turn, by one take_answer() when channel() is readable and accept() has given nothing.
  bool pause() { return ask("pause"); }
  bool resume() { return ask("resume"); }
  bool set_balloon(std::uint64_t bytes) { return ask("balloon " + std::to_string(bytes)); }
  /// Nothing: none yet.
  [[nodiscard]] std::optional<MonitorAnswer> take_answer();

 private:
  bool ask(const std::string& word);
  void end() noexcept;

  cgroups::Group group_;
  base::Process process_;
  base::UniqueFd channel_;
  std::deque<MonitorAnswer> answers_;
};

/// The part of a guest's initramfs that is not the kernel's modules: the agent as the first program, and its
/// console. In three pieces, one behind the other, so that the agent is read from its own file.
struct AgentArchive {
  base::UniqueFd before;
  base::UniqueFd program;
  base::UniqueFd after;
};
AgentArchive make_agent_archive();

}  // namespace trine::runtime::backend
