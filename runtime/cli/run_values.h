#pragma once

#include <string>
#include <utility>

#include "runtime/engine/run_options.h"

/// The values of `trine run`'s flags: each function reads one in Docker's syntax and puts it into the
/// options, or throws base::Error with the flag, the value and how it is written.
namespace trine::runtime::cli {

std::pair<std::string, std::string> parse_pair(const char* flag, const std::string& text);

void set_isolation(engine::RunOptions& options, const std::string& text);
void add_env(engine::RunOptions& options, const std::string& text);
void add_env_file(engine::RunOptions& options, const std::string& file);
void set_working_directory(engine::RunOptions& options, const std::string& text);
void add_volume(engine::RunOptions& options, const std::string& text);
void add_mount(engine::RunOptions& options, const std::string& text);
void add_tmpfs(engine::RunOptions& options, const std::string& text);
void set_shm_size(engine::RunOptions& options, const std::string& text);
void add_device(engine::RunOptions& options, const std::string& text);
void set_network(engine::RunOptions& options, const std::string& text);
void set_memory(engine::RunOptions& options, const std::string& text);
void set_memory_swap(engine::RunOptions& options, const std::string& text);
void set_cpus(engine::RunOptions& options, const std::string& text);
void set_cpu_shares(engine::RunOptions& options, const std::string& text);
void set_cpuset(engine::RunOptions& options, const std::string& text);
void set_pids_limit(engine::RunOptions& options, const std::string& text);
void add_ulimit(engine::RunOptions& options, const std::string& text);
void add_security_option(engine::RunOptions& options, const std::string& text);

}  // namespace trine::runtime::cli
