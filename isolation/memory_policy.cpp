#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "isolation/id_list.h"
#include "steps.h"

namespace trine::isolation {

void set_memory_policy(Context& context) {
  const auto& policy = context.plan.process.memory_policy;
  if (!policy)
    return;
  constexpr unsigned kBits = sizeof(unsigned long) * CHAR_BIT;
  std::array<unsigned long, (kMaxNode + 1) / kBits> mask{};
  for (const unsigned node : policy->nodes)
    mask[node / kBits] |= 1UL << (node % kBits);
  // The kernel counts one bit more than it reads. Modes that take no nodes take no mask either.
  const auto* nodes = policy->nodes.empty() ? nullptr : mask.data();
  const unsigned long bits = policy->nodes.empty() ? 0 : kMaxNode + 2;
  if (::syscall(SYS_set_mempolicy, policy->mode, nodes, bits) == 0)
    return;
  base::throw_errno("cannot set the memory policy",
                    errno == EINVAL
                        ? "does the machine have the nodes, and the kernel the mode? MPOL_DEFAULT and "
                          "MPOL_LOCAL take no nodes, the other modes do"
                    : errno == ENOSYS ? "this kernel is built without NUMA"
                                      : "");
}

}  // namespace trine::isolation
