#include "base/error.h"
#include "command.h"
#include "commands.h"

namespace trine::runtime::oci_cli {
FlagTexts checkpoint_flags() {
  return {};
}
FlagTexts restore_flags() {
  return {};
}
int run_checkpoint(const Globals&, Arguments) {
  throw base::Error("x");
}
int run_restore(const Globals&, Arguments) {
  throw base::Error("x");
}
}  // namespace trine::runtime::oci_cli
