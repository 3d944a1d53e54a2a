#include <sched.h>
#include <unistd.h>

#include "base/error.h"
#include "steps.h"

namespace trine::isolation {

void set_host_name(Context& context) {
  const Plan& plan = context.plan;
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0) {
    base::throw_errno("cannot set the host name " + plan.hostname);
  }
  if (!plan.domainname.empty() && ::setdomainname(plan.domainname.data(), plan.domainname.size()) != 0) {
    base::throw_errno("cannot set the domain name " + plan.domainname);
  }
}

}  // namespace trine::isolation
