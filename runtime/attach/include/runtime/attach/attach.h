#pragma once

#include <csignal>
#include <optional>

#include "base/process.h"
#include "base/unique_fd.h"
#include "isolation/plan.h"

namespace trine::runtime::attach {

/// Holds back the signals that are to be passed on to an instance, from before it exists, so that none is
/// lost. SIGTSTP, SIGTTIN, SIGTTOU and SIGCONT keep their meaning for trine itself: a shell's job control.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

  [[nodiscard]] const sigset_t& signals() const { return signals_; }

 private:
  sigset_t signals_{};
  sigset_t before_{};
};

/// The size of our own terminal; nothing when we have none.
std::optional<isolation::WindowSize> own_window_size();

struct AttachOptions {
  base::UniqueFd terminal;   ///< the master of the instance's terminal; empty: it has our stdio itself
  bool interactive = false;  ///< our standard input goes to the terminal
};

/// Stays with an instance until its first process ends: passes on signals, and with a terminal carries bytes
/// and window sizes, our own terminal being raw meanwhile. It is put back as it was on every way out.
base::ExitStatus attach(base::Process& process, const SignalBlock& signals, AttachOptions options);

}  // namespace trine::runtime::attach
