#include "runtime/backend/vm_update.h"

#include "base/error.h"
#include "runtime/backend/vm.h"
#include "runtime/backend/vm_exec.h"

namespace trine::runtime::backend {
namespace {

std::string in_mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

/// What the guest is to give back; `wanted` is -1 for all that its machine has.
std::uint64_t balloon_bytes(std::int64_t wanted, std::uint64_t started_bytes) {
  if (wanted <= 0)
    return 0;
  const auto bytes = static_cast<std::uint64_t>(wanted);
  if (bytes > started_bytes) {
    throw base::Error("the VM cannot have " + in_mebibytes(bytes) + " of memory: it was started with " +
                          in_mebibytes(started_bytes),
                      0, "start it with more; what it does not use is the host's");
  }
  if (bytes < kLeastVmMemory) {
    throw base::Error(in_mebibytes(bytes) + " of memory are too little for a VM, kernel and all", 0,
                      "leave it " + in_mebibytes(kLeastVmMemory) + " or more");
  }
  return started_bytes - bytes;
}

}  // namespace

cgroups::Limits update_guest(const std::string& socket, std::uint64_t started_bytes, cgroups::Limits limits) {
  if (limits.pids_max)
    throw base::Error("the number of a VM's processes cannot be changed while it runs", 0,
                      "stop it, and start it with another limit");
  if (limits.memory_bytes && !set_balloon_of_vm(socket, balloon_bytes(*limits.memory_bytes, started_bytes)))
    throw base::Error("the VM has ended");
  limits.memory_bytes.reset();
  limits.memory_swap_bytes.reset();
  limits.memory_reservation_bytes.reset();
  return limits;
}

}  // namespace trine::runtime::backend
