// Source: Linux Documentation/admin-guide/cgroup-v2.rst, "Device controller"; bpf(2).
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cerrno>
#include <cstddef>

#include "../controllers.h"
#include "base/error.h"
#include "device_program.h"

// libbpf 1.1 declares this and has it in its archive, but its shared library does not export it.
extern "C" int libbpf_set_memlock_rlim(std::size_t bytes) __attribute__((weak));

namespace trine::cgroups::v2 {
namespace {

[[noreturn]] void refused(const Directory& directory, const char* step, int error) {
  const bool privilege = error == EPERM || error == EACCES;
  throw base::Error("cannot control the devices of " + directory.path + ": cannot " + step +
                        " the eBPF program that cgroup v2 needs for it",
                    error,
                    privilege ? "it needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN, on the host"
                              : "the kernel needs CONFIG_CGROUP_BPF");
}

base::UniqueFd load(const Directory& directory, const std::vector<bpf_insn>& program) {
  // Kernels since 5.11 charge programs to the memory controller. For older ones libbpf raises RLIMIT_MEMLOCK
  // of the whole process, and so of the container: not for one page.
  if (libbpf_set_memlock_rlim != nullptr)
    libbpf_set_memlock_rlim(0);
  const int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, nullptr, "Apache-2.0", program.data(),
                               program.size(), nullptr);
  if (fd < 0)
    refused(directory, "load", -fd);
  return base::UniqueFd(fd);
}

}  // namespace

void apply_devices(const Directory& directory, const std::vector<DeviceRule>& rules) {
  const auto program = load(directory, device_program(rules));
  // "Multi": the programs of the groups above keep their say. The group holds the program from here on.
  const int failed = bpf_prog_attach(program.get(), directory.fd.get(), BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
  if (failed < 0)
    refused(directory, "attach", -failed);
}

}  // namespace trine::cgroups::v2
