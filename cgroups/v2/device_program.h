#pragma once

#include <linux/bpf.h>

#include <vector>

#include "cgroups/limits.h"

namespace trine::cgroups::v2 {

/// The rules as a program of type BPF_PROG_TYPE_CGROUP_DEVICE: it gets a bpf_cgroup_dev_ctx and returns 1 to
/// allow, 0 to deny. Throws Error for a rule that makes no sense, and for more than 2,000 rules.
/// Source: Linux Documentation/bpf/standardization/instruction-set.rst; kernel 5.1 (32-bit jumps).
std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);

}  // namespace trine::cgroups::v2
