#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/unique_fd.h"

namespace trine::runtime::backend {

/// A network interface: an open tap, and what trine-vmm's --net says of it.
struct MonitorNic {
  int tap = -1;
  std::string options;  ///< "mac=02:00:00:00:00:01,mtu=1500"
};

/// What trine-vmm is started with.
struct MonitorOptions {
  std::string kernel;
  std::vector<std::string> initramfs_files;
  std::string command_line;
  std::uint64_t memory_bytes = 0;
  unsigned cpus = 1;
  std::vector<std::string> read_only_disks;
  std::vector<MonitorNic> nics;
};

/// A connection that the guest opened.
struct GuestConnection {
  std::uint32_t port = 0;
  base::UniqueFd socket;
};

/// A trine-vmm that runs. It dies with its caller, and the destructor ends it.
class Monitor {
 public:
  /// Throws base::Error when the program is missing or cannot be started.
  explicit Monitor(const MonitorOptions& options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  [[nodiscard]] base::Process& process() { return process_; }
  /// Readable when the guest has opened a connection.
  [[nodiscard]] int channel() const { return channel_.get(); }
  /// Nothing when there is none waiting.
  [[nodiscard]] std::optional<GuestConnection> accept() const;

 private:
  base::Process process_;
  base::UniqueFd channel_;
};

/// The part of a guest's initramfs that is not the kernel's modules: the agent as the first program, and its
/// console. In three pieces, one behind the other, so that the agent is read from its own file.
struct AgentArchive {
  base::UniqueFd before;
  std::string program;  ///< a path
  base::UniqueFd after;
};
AgentArchive make_agent_archive();

}  // namespace trine::runtime::backend
