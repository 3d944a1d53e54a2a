#pragma once

#include <chrono>
#include <functional>
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
    std::chrono::steady_clock::time_point last_heard;  ///< when something came from it, or it ended
    [[nodiscard]] int quiet_time_left() const;         ///< milliseconds; 0: nothing more is waited for
  };

  /// False: the host wants the end.
  bool handle(const Frame& frame);
  void start(const Frame& frame, std::optional<Failure> (Session::*try_start)(const Frame&, Job&));
  [[nodiscard]] std::optional<Failure> try_first(const Frame& frame, Job& job);
  [[nodiscard]] std::optional<Failure> try_exec(const Frame& frame, Job& job);
  [[nodiscard]] static std::optional<Failure> connect(Job& job, const std::function<Launcher::Made()>& make);
  void tell_figures(std::uint64_t request);
  /// The job of kStart, while it runs.
  Job* running_first();
  bool receive();
  void wait_and_carry();
  void settle();
  void send(FrameType type, std::uint64_t request, std::string payload);

  Launcher& launcher_;
  base::UniqueFd control_;
  FrameReader reader_;
  std::map<std::uint64_t, Job> jobs_;
  std::optional<std::uint64_t> first_;  ///< the job of kStart
  bool connected_ = true;
};

}  // namespace trine::hvm
