#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/backend/vm.h"

namespace trine::runtime::oci_cli {

/// What bundles may choose by their section `vm`: glob patterns as fnmatch(3) has them.
struct VmAllowance {
  std::vector<std::string> kernels;     ///< of paths; "*" is no "/"
  std::vector<std::string> parameters;  ///< of a kernel's parameters, each whole: "loglevel=*"
};

/// What the administrator says of VMs that engines start. Neither an image nor a bundle can change it.
struct VmConfig {
  std::string kernels;                              ///< the directory of `trine kernel`
  std::string kernel;                               ///< one of them; empty: the default
  std::uint64_t memory_bytes = backend::kVmMemory;  ///< of a container without a limit
  unsigned cpus = backend::kVmCpus;                 ///< of a container without a quota
  backend::Rate net_rate;                           ///< of each interface, each way; a bundle may have less
  std::chrono::seconds boot_limit{60};
  VmAllowance allow;  ///< nothing
};

constexpr const char* kVmConfigFile = "/etc/trine/vm.json";

/// Reads it; without the file all is as above. Throws Error for a file that others may write, that is no
/// JSON, or that has a key which is none of these: kernels, kernel, memory, cpus, net_rate,
/// boot_seconds, allow.
VmConfig read_vm_config(const std::string& file = kVmConfigFile);

}  // namespace trine::runtime::oci_cli
