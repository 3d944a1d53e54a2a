#include "report.h"

#include "isolation/start.h"

namespace trine::isolation {

Failure to_failure(const base::Error& error) {
  Failure failure;
  failure.message = error.message();
  failure.hint = error.hint();
  failure.errno_value = error.errno_value();
  return failure;
}

void rethrow(const Failure& failure) {
  if (failure.exec)
    throw ExecError(failure.message, failure.errno_value, failure.hint, failure.not_found);
  throw base::Error(failure.message, failure.errno_value, failure.hint);
}

base::UniqueFd await_exec(const Channel& channel, const std::function<void(int)>& on_listener, Until until) {
  base::UniqueFd terminal;
  bool waiting = false;
  while (auto message = channel.receive()) {
    if (message->kind == MessageKind::kError)
      rethrow(message->failure);
    if (message->kind == MessageKind::kTerminal)
      terminal = std::move(message->fd);
    waiting = waiting || message->kind == MessageKind::kWaiting;
    if (message->kind == MessageKind::kListener) {
      if (!on_listener)
        throw base::Error("cannot start the container: nobody passes the listener of its seccomp filter on");
      on_listener(message->fd.get());
      channel.send(MessageKind::kServed);
    }
  }
  if (until == Until::kGate && !waiting) {
    throw base::Error("cannot make the container: its first process was killed", 0,
                      "was its memory limit too low for it? dmesg tells");
  }
  return terminal;
}

}  // namespace trine::isolation
