#pragma once

#include <linux/bpf.h>

#include <vector>

#include "cgroups/limits.h"

namespace trine::cgroups {

/// An eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE that answers as the rules say; what no rule matches is
/// denied. Source: linux/bpf.h, struct bpf_cgroup_dev_ctx.
std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);

}  // namespace trine::cgroups
