#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "runtime/engine/run_options.h"

/// The values of `trine run`'s flags: each function reads one in Docker's syntax and puts it into the
/// options, or throws base::Error with the flag, the value, what is wrong with it and how it is written.
/// Those that a look at the host can refuse are refused here too, before an image is loaded.
namespace trine::runtime::cli {

[[noreturn]] void refuse(const std::string& flag, const std::string& value, const std::string& why,
                         const std::string& hint);

/// "64m", "1.5g", "512": bytes.
std::uint64_t read_size(const char* flag, const std::string& text);

// The instance and its process.
/// KEY=VALUE, or KEY alone for an empty value.
std::pair<std::string, std::string> read_pair(const char* flag, const std::string& text);
void set_hostname(engine::RunOptions& options, const std::string& text);
void set_pull(engine::RunOptions& options, const std::string& text);
void set_platform(engine::RunOptions& options, const std::string& text);
void set_isolation(engine::RunOptions& options, const std::string& text);
void set_stop_signal(engine::RunOptions& options, const std::string& text);
void set_cidfile(engine::RunOptions& options, const std::string& file);
void add_env(engine::RunOptions& options, const std::string& text);
void add_env_file(engine::RunOptions& options, const std::string& file);
void set_working_directory(engine::RunOptions& options, const std::string& text);
void set_network(engine::RunOptions& options, const std::string& text);

// Files: mount_values.cpp.
void add_volume(engine::RunOptions& options, const std::string& text);
void add_mount(engine::RunOptions& options, const std::string& text);
void add_tmpfs(engine::RunOptions& options, const std::string& text);
void set_shm_size(engine::RunOptions& options, const std::string& text);
void add_device(engine::RunOptions& options, const std::string& text);
/// Throws for two mounts in one place, of which one would hide the other.
void check_targets(const engine::RunOptions& options);

// Limits: limit_values.cpp.
void set_memory(engine::RunOptions& options, const std::string& text);
void set_memory_swap(engine::RunOptions& options, const std::string& text);
void set_cpus(engine::RunOptions& options, const std::string& text);
void set_cpu_shares(engine::RunOptions& options, const std::string& text);
void set_cpuset(engine::RunOptions& options, const std::string& text);
void set_pids_limit(engine::RunOptions& options, const std::string& text);
void add_ulimit(engine::RunOptions& options, const std::string& text);
void set_vm_net_rate(engine::RunOptions& options, const std::string& text);
void set_vm_net_queues(engine::RunOptions& options, const std::string& text);
void set_vm_disk_rate(engine::RunOptions& options, const std::string& text);

// Security.
void add_capability(engine::RunOptions& options, const std::string& text);
void drop_capability(engine::RunOptions& options, const std::string& text);
void add_security_option(engine::RunOptions& options, const std::string& text);
void add_vm_pages(engine::RunOptions& options, const std::string& text);
void add_sysctl(engine::RunOptions& options, const std::string& text);

}  // namespace trine::runtime::cli
