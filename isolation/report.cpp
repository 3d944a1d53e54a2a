#include "report.h"

#include "isolation/start.h"

namespace trine::isolation {

void rethrow(const Failure& failure) {
  if (failure.exec)
    throw ExecError(failure.message, failure.errno_value, failure.hint, failure.not_found);
  throw base::Error(failure.message, failure.errno_value, failure.hint);
}

base::UniqueFd await_exec(const Channel& channel) {
  base::UniqueFd terminal;
  while (auto message = channel.receive()) {
    if (message->kind == MessageKind::kError)
      rethrow(message->failure);
    if (message->kind == MessageKind::kTerminal)
      terminal = std::move(message->fd);
  }
  return terminal;
}

}  // namespace trine::isolation
