#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "base/error.h"
#include "devices_program.h"
#include "internal.h"

namespace trine::cgroups {

bool apply_devices_bpf(const Directory& directory, const std::vector<DeviceRule>& rules) {
  // Programs are charged to the memory cgroup since 5.11; raising RLIMIT_MEMLOCK, as libbpf would, takes a
  // privilege that we may not have.
  ::libbpf_set_memlock_rlim(0);
  const auto program = device_program(rules);
  const base::UniqueFd fd(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "trine_devices", "Apache-2.0",
                                          program.data(), program.size(), nullptr));
  if (!fd) {
    if (errno == EPERM || errno == ENOSYS || errno == EINVAL)
      return false;
    base::throw_errno("cannot load the device program of " + directory.path());
  }
  if (::bpf_prog_attach(fd.get(), directory.fd(), BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI) != 0) {
    if (errno == EPERM || errno == EINVAL)
      return false;
    base::throw_errno("cannot attach the device program to " + directory.path());
  }
  return true;
}

}  // namespace trine::cgroups
