#pragma once

#include <poll.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "hvm-sandbox/protocol.h"

namespace trine::runtime::backend {

/// In frames between an instance's trine and another command: the instance's first process, and the one that
/// the command has asked for. To the guest each command's has a number of its own.
constexpr std::uint64_t kFirstProcess = 1;
constexpr std::uint64_t kOwnProcess = 2;

/// The other commands that talk to a guest through the trine that runs it. Each may have one process there,
/// and one question; its streams are handed over to it as they come, so that nothing of them passes through
/// here. A command that breaks the rules, or takes no frames, is dropped, and the guest's side of its streams
/// closes.
class VmClients {
 public:
  /// `listener` from make_control_socket(), or none.
  explicit VmClients(base::UniqueFd listener) : listener_(std::move(listener)) {}

  /// As a part of a poll(2) loop: appends what to wait for; goes on by what the wait gave.
  void prepare(std::vector<pollfd>& waits);
  void carry(std::span<const pollfd> waits);

  /// What they ask of the guest, in its numbers: kExec, kSignal (also of the first process), kResize,
  /// kStats; and of the machine: kPause, kResume, kBalloon.
  [[nodiscard]] std::vector<hvm::Frame> take_requests() { return std::exchange(requests_, {}); }

  /// Whether a process is some command's.
  [[nodiscard]] bool has(std::uint64_t process) const;
  /// The guest opened a stream of that process.
  void give_stream(const hvm::StreamHello& hello, const base::UniqueFd& socket);
  /// The guest answered about that process, or that question.
  void give(hvm::Frame frame);

 private:
  struct Client {
    base::UniqueFd socket;
    hvm::FrameReader reader;
    std::uint64_t process = 0;   ///< its number to the guest; 0: none yet
    std::uint64_t question = 0;  ///< the same of a kStats that was not answered yet
    bool over = false;
  };

  void accept();
  void receive(Client& client);
  /// False: the command has broken the rules.
  bool take(Client& client, hvm::Frame frame);
  Client* owner_of(std::uint64_t process);
  bool answer(const hvm::Frame& frame);
  static void send(Client& client, const hvm::Frame& frame, int descriptor = -1);

  base::UniqueFd listener_;
  std::vector<Client> clients_;
  std::vector<hvm::Frame> requests_;
  std::uint64_t next_process_ = kFirstProcess + 1;
};

}  // namespace trine::runtime::backend
