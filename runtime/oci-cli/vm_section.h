#pragma once

#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "vm_config.h"

namespace trine::runtime::oci_cli {

/// What a bundle's section `vm` comes to.
struct VmChoice {
  std::string kernel_directory;         ///< as `trine kernel` keeps one
  std::vector<std::string> parameters;  ///< for the end of the kernel's command line
};

/// The kernel and the parameters of the section, when `config` allows each of them. Throws Error naming the
/// field, the administrator's file and the key that would allow it; likewise for what no file can allow:
/// another monitor and its parameters, an initrd, a root image, hardware. It opens no file.
/// Source: OCI runtime-spec 1.3, config-vm.md.
VmChoice choose(const oci::Vm& vm, const VmConfig& config, const std::string& file = kVmConfigFile);

}  // namespace trine::runtime::oci_cli
