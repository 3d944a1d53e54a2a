#include "monitor/bus_error.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "base/error.h"
#include "monitor/exit_codes.h"

namespace trine::hvm {
namespace {

/// No more than any thread's list of calls has: a write and the end.
void explain(int /*signal*/, siginfo_t* info, void* /*context*/) {
  constexpr std::string_view kText =
      "trine-vmm: the guest cannot go on: a file that it reads as a mapped disk was cut short\n";
  if (info->si_code != BUS_ADRERR)
    return;  // broken memory: it comes again, and then nothing is in its way
  (void)!::write(STDERR_FILENO, kText.data(), kText.size());
  ::_exit(kExitFault);
}

}  // namespace

void explain_bus_errors() {
  struct sigaction action{};
  action.sa_sigaction = explain;
  action.sa_flags = SA_SIGINFO | static_cast<int>(SA_RESETHAND);
  if (::sigaction(SIGBUS, &action, nullptr) != 0)
    base::throw_errno("cannot prepare for a mapped file that is cut short");
}

}  // namespace trine::hvm
