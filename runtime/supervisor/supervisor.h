#pragma once

#include <poll.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "base/unique_fd.h"
#include "clients.h"
#include "log_file.h"

namespace trine::runtime::supervisor {

/// What an instance's first process has been given by who started it: open descriptors, and where to log.
struct Ward {
  base::Process process;
  base::UniqueFd output;    ///< of a pipe; empty with a terminal
  base::UniqueFd errors;    ///< the same
  base::UniqueFd input;     ///< the same; empty: it has no input of ours
  base::UniqueFd terminal;  ///< the master
  base::UniqueFd listener;  ///< kAttachSocket
  base::UniqueFd client;    ///< one who is attached from the beginning; empty: nobody is
  LogOptions log;           ///< without a path: nothing is logged
};

/// Stays with an instance until its first process ends: logs what it writes, shows it to clients and gives it
/// what they type, and passes on the signals that end programs.
class Supervisor {
 public:
  /// Throws Error.
  explicit Supervisor(Ward ward);

  /// The process's exit status, when all that it wrote is logged.
  base::ExitStatus run();

 private:
  struct Source {
    int fd = -1;
    std::string_view stream;
    Message kind = Message::kOutput;
  };
  bool step();
  void carry(const Source& source);
  void drain();
  void handle(Message kind, std::string_view bytes);
  void type();
  void end_input();
  void resize(std::string_view bytes) const;
  void pass_on_signals();
  void close(const Source& source);
  [[nodiscard]] int input_fd() const { return ward_.terminal ? ward_.terminal.get() : ward_.input.get(); }

  Ward ward_;
  Clients clients_;
  std::vector<LogFile> log_;  ///< one, or none
  std::vector<Source> sources_;
  base::UniqueFd signals_;
  std::string typed_;  ///< input that the process has not taken yet
  bool input_ended_ = false;
  std::array<char, kMostBytes - 1> buffer_;
};

}  // namespace trine::runtime::supervisor
