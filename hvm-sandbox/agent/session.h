#pragma once

#include <map>
#include <memory>
#include <optional>

#include "agent/stdio.h"
#include "hvm-sandbox/agent.h"

namespace trine::hvm {

/// The conversation with the host: one control connection, and the processes that it asked for.
class Session {
 public:
  /// Dials and says that the guest is ready. Throws base::Error.
  explicit Session(Launcher& launcher);

  /// Until the host asks for the end or goes away.
  void run();

 private:
  struct Job {
    std::unique_ptr<Workload> workload;
    std::unique_ptr<Stdio> stdio;
    std::optional<base::ExitStatus> ended;
    bool idle = false;  ///< nothing came from it for a while after its end
  };

  /// False: the host wants the end.
  bool handle(const Frame& frame);
  void start(const Frame& frame);
  [[nodiscard]] std::optional<Failure> try_start(const Frame& frame, Job& job);
  bool receive();
  void wait_and_carry();
  void settle();
  void send(FrameType type, std::uint64_t request, std::string payload);

  Launcher& launcher_;
  base::UniqueFd control_;
  FrameReader reader_;
  std::map<std::uint64_t, Job> jobs_;
  bool connected_ = true;
};

}  // namespace trine::hvm
