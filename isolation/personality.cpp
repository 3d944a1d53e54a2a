#include <sys/personality.h>

#include "base/error.h"
#include "steps.h"

namespace trine::isolation {

void set_personality(Context& context) {
  const auto& personality = context.plan.process.personality;
  if (personality && ::personality(*personality) < 0)
    base::throw_errno("cannot set the execution domain");
}

}  // namespace trine::isolation
