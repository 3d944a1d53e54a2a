#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "hvm-sandbox/protocol.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/vm.h"
#include "vm_clients.h"
#include "vm_machine.h"
#include "vm_monitor.h"
#include "vm_streams.h"

namespace trine::runtime::backend {

struct VmSessionOptions {
  std::chrono::seconds boot_limit;
  base::UniqueFd control;               ///< at which other commands ask for processes of theirs; or none
  std::function<void()> on_started;     ///< the first process runs; or nothing
  std::function<void(bool)> on_paused;  ///< the machine stands still, or goes on again; or none
  std::string network;                  ///< the payload of NET; empty: it is not sent
};

/// The host's end of the conversation with a guest's agent: starts the first process, carries its streams,
/// passes on signals and window sizes, and hears of its end. Beside that it passes on what other commands and
/// their processes say to each other. What the guest sends is a stranger's.
class VmSession {
 public:
  VmSession(Monitor& monitor, const attach::SignalBlock& signals, const hvm::StartRequest& request,
            VmSessionOptions options);

  /// Throws base::Error, isolation::ExecError.
  VmEnd run();

 private:
  void wait_once();
  [[nodiscard]] int timeout();
  void take_signals();
  void deliver(int signal);
  void take_connections();
  void take_greetings();
  void take_machine_answers();
  /// Why a command's wish cannot be passed on to the guest now; nothing: it can.
  [[nodiscard]] std::optional<hvm::Failure> refusal(const hvm::Frame& request) const;
  void take_frames();
  void take_requests();
  void handle(hvm::Frame frame);
  void handle_other(hvm::Frame frame);
  void take_exit(const std::string& payload);
  void start(const hvm::Frame& frame);
  void on_started();
  void send(hvm::FrameType type, std::string payload, std::uint64_t process = kFirstProcess);
  void write_some();
  void send_window_size();
  /// The machine ended: tells why, as an error.
  [[noreturn]] void report_machine_end();
  [[noreturn]] void report_lost_agent();
  [[noreturn]] void report_no_boot();
  [[nodiscard]] bool finished() const;

  Monitor& monitor_;
  const hvm::StartRequest& request_;
  std::chrono::seconds boot_limit_;
  std::string network_;
  std::chrono::steady_clock::time_point deadline_;
  std::optional<std::chrono::steady_clock::time_point> kill_deadline_;
  base::UniqueFd signals_;
  base::UniqueFd control_;
  hvm::FrameReader reader_;
  std::string unsent_;                    ///< to the guest
  std::vector<base::UniqueFd> greeting_;  ///< streams that have not said which they are
  VmStreams streams_;
  VmClients clients_;
  std::function<void()> tell_started_;
  VmMachine machine_;
  std::function<void(bool)> on_paused_;
  std::vector<hvm::Frame> early_requests_;  ///< of other commands, before there was a process
  bool ready_ = false;
  bool started_ = false;
  std::vector<int> early_signals_;  ///< that came before there was a process
  std::optional<VmEnd> end_;
  bool given_up_ = false;  ///< killed, and the guest does not say that it has ended
};

}  // namespace trine::runtime::backend
