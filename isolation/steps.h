#pragma once

#include <sched.h>

#include <array>

#include "context.h"

/// The steps of the child's life from clone to exec, one file a concern; init.cpp lists them in order.
/// Each does one thing and throws base::Error naming its object.
namespace trine::isolation {

/// New namespaces of the child that clone makes with it, unless it first joins the user namespace that is to
/// own them.
inline constexpr std::array kMadeByClone{CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS};

// namespaces.cpp
void await_id_mappings(Context& context);
void join_existing_namespaces(Context& context);
void enter_network_namespace(Context& context);
void await_interfaces(Context& context);
void enter_cgroups(Context& context);
void await_record(Context& context);
void run_environment_hooks(Context& context);
void run_start_hooks(Context& context);

// rootfs.cpp
void detach_from_host_mounts(Context& context);
void mount_root(Context& context);
void enter_root(Context& context);
/// For a container that shares the host's mount namespace.
void change_root(int directory);
void seal_root(Context& context);

// mounts.cpp
void mount_filesystems(Context& context);

// devices.cpp
void make_devices(Context& context);

// masks.cpp
void hide_paths(Context& context);

// uts.cpp
void set_host_name(Context& context);

// sysctl.cpp
void write_sysctls(Context& context);

// terminal.cpp
void attach_terminal(Context& context);
void attach_joined_terminal(Context& context);

// user.cpp
void resolve_user(Context& context);

// process.cpp
void join_session_keyring(Context& context);
void set_oom_score(Context& context);
void make_working_directory(Context& context);
void enter_working_directory(Context& context);
void set_limits(Context& context);
void take_identity(Context& context);

// seccomp_listener.cpp
void call_listener_courier(Context& context);

// exec.cpp
void open_executable(Context& context);
void check_program(Context& context);

// gate.cpp
void await_start(Context& context);

// join.cpp
void enter_container(Context& context);

// time.cpp
void enter_time_namespace(Context& context);

// scheduling.cpp
void set_scheduling(Context& context);

// affinity.cpp
/// To all that the cgroup allows: an engine that has bound itself to some CPUs has not bound its containers.
void reset_affinity(Context& context);
void set_final_affinity(Context& context);

// personality.cpp
void set_personality(Context& context);

// memory_policy.cpp
void set_memory_policy(Context& context);

// lsm.cpp
void set_security_labels(Context& context);

}  // namespace trine::isolation
