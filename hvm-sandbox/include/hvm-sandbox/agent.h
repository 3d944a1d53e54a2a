#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/unique_fd.h"
#include "hvm-sandbox/protocol.h"

/// The guest's side, without what it runs: trine-agent is this and a launcher.
namespace trine::hvm {

/// A process that the launcher made.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  virtual ~Workload() = default;

  [[nodiscard]] virtual base::Process& process() = 0;
  /// The master of its terminal, once; empty when it has none.
  virtual base::UniqueFd take_terminal() = 0;
  /// What it and all beside it use.
  [[nodiscard]] virtual Figures figures() = 0;
  /// After process() was waited for: clears up. Whether the kernel killed something for lack of memory.
  virtual bool finish() = 0;
};

/// Makes the processes that the host asks for. Their standard streams are the caller's.
class Launcher {
 public:
  using Made = std::expected<std::unique_ptr<Workload>, Failure>;

  Launcher() = default;
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  virtual ~Launcher() = default;

  /// The guest's network interfaces become what `interfaces` says, in the launcher's own form.
  virtual std::optional<Failure> set_up_network(const std::string& interfaces) = 0;
  /// The first process. `layers`: where the image's layers are mounted, topmost first.
  virtual Made start(const StartRequest& request, const std::vector<std::string>& layers) = 0;
  /// One beside `first`, which runs.
  virtual Made exec(const ExecRequest& request, Workload& first) = 0;
};

/// The life of PID 1 in a guest: does not return, but powers the machine off when the host says so, the
/// connection to it is lost, or something fails that cannot be told to the host in another way.
[[noreturn]] void run_agent(Launcher& launcher);

}  // namespace trine::hvm
