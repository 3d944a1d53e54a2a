#include "hvm-sandbox/agent.h"

#include <exception>

#include "agent/early.h"
#include "agent/session.h"
#include "base/error.h"
#include "base/log.h"

namespace trine::hvm {

void run_agent(Launcher& launcher) {
  try {
    set_up_guest();
    Session session(launcher);
    session.run();
  } catch (const base::Error& error) {
    // Nobody but the console is there to hear; the monitor shows its end when no agent came.
    base::print_error(error);
  } catch (const std::exception& error) {
    base::print_error(error.what());
  }
  power_off();
}

}  // namespace trine::hvm
