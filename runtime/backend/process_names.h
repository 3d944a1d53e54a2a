#pragma once

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>

#include <array>
#include <cstdint>

#include "names.h"

/// The words that config.json has for a process and its namespaces. Source: OCI runtime-spec 1.3
/// config.md#linux-process and config-linux.md; the values: linux/sched.h, linux/ioprio.h, linux/mempolicy.h.
namespace trine::runtime::backend {

inline constexpr std::array<Named<int>, 8> kNamespaceTypes{{{"pid", CLONE_NEWPID},
                                                            {"network", CLONE_NEWNET},
                                                            {"mount", CLONE_NEWNS},
                                                            {"ipc", CLONE_NEWIPC},
                                                            {"uts", CLONE_NEWUTS},
                                                            {"user", CLONE_NEWUSER},
                                                            {"cgroup", CLONE_NEWCGROUP},
                                                            {"time", CLONE_NEWTIME}}};

inline constexpr std::array<Named<std::uint32_t>, 7> kSchedulerPolicies{{{"SCHED_OTHER", SCHED_OTHER},
                                                                         {"SCHED_FIFO", SCHED_FIFO},
                                                                         {"SCHED_RR", SCHED_RR},
                                                                         {"SCHED_BATCH", SCHED_BATCH},
                                                                         {"SCHED_ISO", 4},  // reserved
                                                                         {"SCHED_IDLE", SCHED_IDLE},
                                                                         {"SCHED_DEADLINE", SCHED_DEADLINE}}};

inline constexpr std::array<Named<std::uint64_t>, 7> kSchedulerFlags{{{"SCHED_FLAG_RESET_ON_FORK", 0x01},
                                                                      {"SCHED_FLAG_RECLAIM", 0x02},
                                                                      {"SCHED_FLAG_DL_OVERRUN", 0x04},
                                                                      {"SCHED_FLAG_KEEP_POLICY", 0x08},
                                                                      {"SCHED_FLAG_KEEP_PARAMS", 0x10},
                                                                      {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
                                                                      {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}}};

inline constexpr std::array<Named<unsigned>, 3> kIoClasses{
    {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}}};

inline constexpr std::array<Named<int>, 7> kMemoryModes{{{"MPOL_DEFAULT", MPOL_DEFAULT},
                                                         {"MPOL_BIND", MPOL_BIND},
                                                         {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
                                                         {"MPOL_WEIGHTED_INTERLEAVE", 6},  // Linux 6.9
                                                         {"MPOL_PREFERRED", MPOL_PREFERRED},
                                                         {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
                                                         {"MPOL_LOCAL", MPOL_LOCAL}}};

inline constexpr std::array<Named<int>, 3> kMemoryFlags{{{"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
                                                         {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
                                                         {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES}}};

inline constexpr std::array<Named<unsigned long>, 2> kExecutionDomains{
    {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}}};

}  // namespace trine::runtime::backend
