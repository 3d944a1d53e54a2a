#pragma once

#include <deque>
#include <vector>

#include "hvm-sandbox/protocol.h"
#include "vm_monitor.h"

namespace trine::runtime::backend {

/// What other commands ask of an instance's machine itself, which its monitor does without its guest.
class VmMachine {
 public:
  explicit VmMachine(Monitor& monitor) : monitor_(monitor) {}

  /// Passes it on to the monitor. False: it asks for something else.
  bool take(const hvm::Frame& request);

  /// What the monitor has answered, for who asked. To be called when its channel was read.
  [[nodiscard]] std::vector<hvm::Frame> take_answers();

  /// As of the last answer.
  [[nodiscard]] bool is_paused() const { return paused_; }

 private:
  struct Asked {
    hvm::FrameType type{};
    std::uint64_t request = 0;
  };
  bool ask(const hvm::Frame& request);

  Monitor& monitor_;
  std::deque<Asked> asked_;  ///< and not answered
  std::vector<hvm::Frame> refused_;
  bool paused_ = false;
};

}  // namespace trine::runtime::backend
