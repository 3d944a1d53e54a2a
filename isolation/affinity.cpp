#include "affinity.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <string>

#include "base/error.h"
#include "isolation/id_list.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr unsigned kBits = sizeof(unsigned long) * CHAR_BIT;
using Mask = std::vector<unsigned long>;

long set_mask(const Mask& mask) {
  return ::syscall(SYS_sched_setaffinity, 0, mask.size() * sizeof(unsigned long), mask.data());
}

std::string describe(const std::vector<unsigned>& cpus) {
  std::string text;
  for (const unsigned cpu : cpus)
    text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

}  // namespace

void set_affinity(const std::vector<unsigned>& cpus) {
  Mask mask((kMaxCpu + 1) / kBits);
  for (const unsigned cpu : cpus)
    mask[cpu / kBits] |= 1UL << (cpu % kBits);
  if (set_mask(mask) != 0)
    base::throw_errno("cannot run on the CPUs " + describe(cpus),
                      "does the machine, and the cgroup, have one of them?");
}

AffinityVisit::AffinityVisit(const std::vector<unsigned>& cpus) {
  if (cpus.empty())
    return;
  own_.resize((kMaxCpu + 1) / kBits);
  if (::syscall(SYS_sched_getaffinity, 0, own_.size() * sizeof(unsigned long), own_.data()) < 0)
    base::throw_errno("cannot read the CPU affinity");
  set_affinity(cpus);
}

AffinityVisit::~AffinityVisit() {
  if (!own_.empty())
    set_mask(own_);
}

void reset_affinity(Context& /*unused*/) {
  // The kernel leaves out those that the cgroup has not. Should it refuse, the container runs all the same.
  set_mask(Mask((kMaxCpu + 1) / kBits, ~0UL));
}

void set_final_affinity(Context& context) {
  const Process& process = context.plan.process;
  if (process.final_cpus.empty())
    return reset_affinity(context);
  set_affinity(process.final_cpus);
}

}  // namespace trine::isolation
