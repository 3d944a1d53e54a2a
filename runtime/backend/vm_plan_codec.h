#pragma once

#include <tuple>

#include "cgroups/limits.h"
#include "hvm-sandbox/wire.h"
#include "isolation/plan.h"
#include "isolation/seccomp.h"
#include "runtime/backend/joined_process.h"

/// How the plan of a process goes to the agent: field by field, in this order. Host and agent are of one
/// version, so there is nothing to negotiate.
namespace trine::runtime::backend {

/// What the agent's launcher needs: isolation and limits inside the guest.
struct GuestPlan {
  isolation::Plan isolation_part;
  cgroups::Limits limits;
};

}  // namespace trine::runtime::backend

namespace trine::hvm::wire {

template <>
struct Fields<isolation::SeccompFilter> {
  static auto of(auto& whole) {
    auto& [program, flags, notifies] = whole;
    return std::tie(program, flags, notifies);
  }
};
template <>
struct Fields<isolation::Namespace> {
  static auto of(auto& whole) {
    auto& [type, path] = whole;
    return std::tie(type, path);
  }
};
template <>
struct Fields<isolation::IdMapping> {
  static auto of(auto& whole) {
    auto& [container_id, host_id, size] = whole;
    return std::tie(container_id, host_id, size);
  }
};
template <>
struct Fields<isolation::DirectoryRoot> {
  static auto of(auto& whole) {
    auto& [path] = whole;
    return std::tie(path);
  }
};
template <>
struct Fields<isolation::OverlayRoot> {
  static auto of(auto& whole) {
    auto& [lower, upper, work, discard] = whole;
    return std::tie(lower, upper, work, discard);
  }
};
template <>
struct Fields<isolation::HostRoot> {
  static auto of(auto& /*whole*/) { return std::tie(); }
};
template <>
struct Fields<isolation::EmptyRoot> {
  static auto of(auto& /*whole*/) { return std::tie(); }
};
template <>
struct Fields<isolation::Root> {
  static auto of(auto& whole) {
    auto& [source, read_only, propagation] = whole;
    return std::tie(source, read_only, propagation);
  }
};
template <>
struct Fields<isolation::Mount> {
  static auto of(auto& whole) {
    auto& [destination, type, source, host_view, set_attributes, clear_attributes, recursive_set_attributes,
           recursive_clear_attributes, super_flags, propagation, data, bind, recursive, source_in_root, idmap,
           idmap_recursive, uid_mappings, gid_mappings, copy_up, seal_only, remount, copy_symlink,
           symlink_target, create_source] = whole;
    return std::tie(destination, type, source, host_view, set_attributes, clear_attributes,
                    recursive_set_attributes, recursive_clear_attributes, super_flags, propagation, data,
                    bind, recursive, source_in_root, idmap, idmap_recursive, uid_mappings, gid_mappings,
                    copy_up, seal_only, remount, copy_symlink, symlink_target, create_source);
  }
};
template <>
struct Fields<isolation::Device> {
  static auto of(auto& whole) {
    auto& [type, path, major, minor, mode, uid, gid] = whole;
    return std::tie(type, path, major, minor, mode, uid, gid);
  }
};
template <>
struct Fields<isolation::Rlimit> {
  static auto of(auto& whole) {
    auto& [resource, soft, hard] = whole;
    return std::tie(resource, soft, hard);
  }
};
template <>
struct Fields<isolation::Capabilities> {
  static auto of(auto& whole) {
    auto& [bounding, effective, inheritable, permitted, ambient] = whole;
    return std::tie(bounding, effective, inheritable, permitted, ambient);
  }
};
template <>
struct Fields<isolation::User> {
  static auto of(auto& whole) {
    auto& [name, uid, gid, additional_gids, keep_groups, umask] = whole;
    return std::tie(name, uid, gid, additional_gids, keep_groups, umask);
  }
};
template <>
struct Fields<isolation::WindowSize> {
  static auto of(auto& whole) {
    auto& [rows, columns] = whole;
    return std::tie(rows, columns);
  }
};
template <>
struct Fields<isolation::Scheduler> {
  static auto of(auto& whole) {
    auto& [policy, nice, priority, flags, runtime, deadline, period] = whole;
    return std::tie(policy, nice, priority, flags, runtime, deadline, period);
  }
};
template <>
struct Fields<isolation::IoPriority> {
  static auto of(auto& whole) {
    auto& [io_class, level] = whole;
    return std::tie(io_class, level);
  }
};
template <>
struct Fields<isolation::MemoryPolicy> {
  static auto of(auto& whole) {
    auto& [mode, nodes] = whole;
    return std::tie(mode, nodes);
  }
};
template <>
struct Fields<isolation::Process> {
  static auto of(auto& whole) {
    auto& [args, env, cwd, create_cwd, user, resolve_user, capabilities, rlimits, no_new_privileges,
           keep_keyring, terminal, window_size, plain_lines, oom_score_adj, apparmor_profile, selinux_label,
           scheduler, io_priority, memory_policy, personality, initial_cpus, final_cpus,
           preserved_descriptors, init] = whole;
    return std::tie(args, env, cwd, create_cwd, user, resolve_user, capabilities, rlimits, no_new_privileges,
                    keep_keyring, terminal, window_size, plain_lines, oom_score_adj, apparmor_profile,
                    selinux_label, scheduler, io_priority, memory_policy, personality, initial_cpus,
                    final_cpus, preserved_descriptors, init);
  }
};
template <>
struct Fields<isolation::TimeOffset> {
  static auto of(auto& whole) {
    auto& [clock, seconds, nanoseconds] = whole;
    return std::tie(clock, seconds, nanoseconds);
  }
};
template <>
struct Fields<isolation::Resctrl> {
  static auto of(auto& whole) {
    auto& [clos_id, container_id, schemata, monitoring] = whole;
    return std::tie(clos_id, container_id, schemata, monitoring);
  }
};
template <>
struct Fields<isolation::Plan> {
  static auto of(auto& whole) {
    auto& [namespaces, uid_mappings, gid_mappings, hostname, domainname, root, mounts, mount_label, devices,
           masked_paths, read_only_paths, sysctls, time_offsets, resctrl, seccomp, staging_directory,
           process] = whole;
    return std::tie(namespaces, uid_mappings, gid_mappings, hostname, domainname, root, mounts, mount_label,
                    devices, masked_paths, read_only_paths, sysctls, time_offsets, resctrl, seccomp,
                    staging_directory, process);
  }
};
template <>
struct Fields<cgroups::CpuQuota> {
  static auto of(auto& whole) {
    auto& [quota_us, period_us] = whole;
    return std::tie(quota_us, period_us);
  }
};
template <>
struct Fields<cgroups::IoDeviceLimit> {
  static auto of(auto& whole) {
    auto& [major, minor, value] = whole;
    return std::tie(major, minor, value);
  }
};
template <>
struct Fields<cgroups::HugepageLimit> {
  static auto of(auto& whole) {
    auto& [page_size, bytes] = whole;
    return std::tie(page_size, bytes);
  }
};
template <>
struct Fields<cgroups::RdmaLimit> {
  static auto of(auto& whole) {
    auto& [hca_handles, hca_objects] = whole;
    return std::tie(hca_handles, hca_objects);
  }
};
template <>
struct Fields<cgroups::DeviceRule> {
  static auto of(auto& whole) {
    auto& [allow, type, major, minor, access] = whole;
    return std::tie(allow, type, major, minor, access);
  }
};
template <>
struct Fields<cgroups::Limits> {
  static auto of(auto& whole) {
    auto& [memory_bytes, memory_swap_bytes, memory_swap_is_default, memory_reservation_bytes,
           memory_check_before_update, memory_kernel_tcp_bytes, memory_swappiness, disable_oom_killer,
           cpu_shares, cpu, cpu_burst_us, cpu_idle, cpu_realtime, cpuset_cpus, cpuset_mems, pids_max,
           io_weight, io_weight_device, io_leaf_weight, io_leaf_weight_device, io_read_bps, io_write_bps,
           io_read_iops, io_write_iops, hugepages, rdma, network_class, network_priorities, unified,
           devices] = whole;
    return std::tie(memory_bytes, memory_swap_bytes, memory_swap_is_default, memory_reservation_bytes,
                    memory_check_before_update, memory_kernel_tcp_bytes, memory_swappiness,
                    disable_oom_killer, cpu_shares, cpu, cpu_burst_us, cpu_idle, cpu_realtime, cpuset_cpus,
                    cpuset_mems, pids_max, io_weight, io_weight_device, io_leaf_weight, io_leaf_weight_device,
                    io_read_bps, io_write_bps, io_read_iops, io_write_iops, hugepages, rdma, network_class,
                    network_priorities, unified, devices);
  }
};
template <>
struct Fields<runtime::backend::JoinedProcess> {
  static auto of(auto& whole) {
    auto& [process, seccomp] = whole;
    return std::tie(process, seccomp);
  }
};
template <>
struct Fields<runtime::backend::GuestPlan> {
  static auto of(auto& whole) {
    auto& [isolation_part, limits] = whole;
    return std::tie(isolation_part, limits);
  }
};

}  // namespace trine::hvm::wire
