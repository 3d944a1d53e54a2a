#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <vector>

/// Runs a device program as the kernel would: returns what it returns, or nothing when it does something that
/// a device program does not do (an unknown instruction, a jump or load outside, no end).
std::optional<std::uint64_t> interpret(const std::vector<bpf_insn>& program,
                                       const bpf_cgroup_dev_ctx& context);
