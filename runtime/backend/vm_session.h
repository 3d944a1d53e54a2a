#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "hvm-sandbox/protocol.h"
#include "hvm-sandbox/pump.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/vm.h"
#include "vm_monitor.h"

namespace trine::runtime::backend {

/// The host's end of the conversation with a guest's agent, for one process: starts it, carries its streams,
/// passes on signals and window sizes, and hears of its end. What the guest sends is a stranger's.
class VmSession {
 public:
  VmSession(Monitor& monitor, const attach::SignalBlock& signals, const hvm::StartRequest& request,
            std::chrono::seconds boot_limit);

  /// Throws base::Error, isolation::ExecError.
  VmEnd run();

 private:
  void wait_once();
  void take_signals();
  void take_connection();
  void take_frames();
  void handle(const hvm::Frame& frame);
  void add_stream(base::UniqueFd socket);
  void send(hvm::FrameType type, std::string payload = {});
  void send_window_size();
  /// The machine ended: tells why, as an error.
  [[noreturn]] void report_machine_end();
  [[noreturn]] void report_no_boot();
  [[nodiscard]] bool finished() const;

  Monitor& monitor_;
  const hvm::StartRequest& request_;
  std::chrono::seconds boot_limit_;
  std::chrono::steady_clock::time_point deadline_;
  base::UniqueFd signals_;
  base::UniqueFd control_;
  hvm::FrameReader reader_;
  std::vector<base::UniqueFd> greeting_;  ///< streams that have not said which they are
  std::vector<hvm::Pump> pumps_;
  std::vector<std::size_t> outputs_;  ///< which of them carry output
  bool ready_ = false;
  bool started_ = false;
  std::vector<int> early_signals_;  ///< that came before there was a process
  std::optional<VmEnd> end_;
};

}  // namespace trine::runtime::backend
