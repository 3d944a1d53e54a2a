#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cgroups/systemd.h"
#include "root_mount.h"

namespace trine::runtime::oci_cli {

/// The unit of systemd that a container is in.
struct Scope {
  cgroups::SystemdUnit unit;
  bool user = false;  ///< of the user's own manager
};

/// What is known of a container between commands: state.json in its state directory.
struct State {
  std::string id;
  std::string bundle;   ///< absolute
  std::string rootfs;   ///< absolute
  std::string created;  ///< time, RFC 3339
  std::string owner;    ///< the user's name, or number
  std::map<std::string, std::string> annotations;
  pid_t pid = 0;                 ///< the first process
  std::uint64_t start_time = 0;  ///< of that process, in clock ticks since boot: tells it from a later one
  bool creating = false;         ///< `create` has not finished
  bool vm = false;               ///< of class vm: `pid` is its keeper
  bool paused = false;           ///< of class vm: its machine stands still
  std::uint64_t vm_memory = 0;   ///< of class vm: its machine's, in bytes
  std::vector<std::string> cgroups;     ///< Group::directories()
  std::optional<Scope> scope;           ///< with the systemd driver
  std::optional<RootMount> root_mount;  ///< without a mount namespace
};

std::string to_json(const State& state);
/// Throws Error for a text that is damaged.
State from_json(const std::string& text, const std::string& file);

/// The state document of the specification, for `state` and for hooks.
/// Source: OCI runtime-spec 1.3 runtime.md#state.
std::string state_document(const State& state, const std::string& status, pid_t pid);

}  // namespace trine::runtime::oci_cli
