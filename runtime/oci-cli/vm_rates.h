#pragma once

#include <string>

#include "runtime/backend/vm.h"
#include "runtime/oci/spec.h"
#include "vm_config.h"

namespace trine::runtime::oci_cli {

/// What a bundle's VM may pass by each of its interfaces: what the administrator gives, or as much less as
/// the annotation dev.trine.vm-net-rate says. Throws Error for an annotation that asks for more, or is none;
/// and for dev.trine.vm-disk-rate, since a bundle is directories. It opens no file.
backend::Rate choose_net_rate(const oci::Spec& spec, const VmConfig& config,
                              const std::string& file = kVmConfigFile);

/// For a container: these annotations are refused. Throws Error.
void refuse_vm_rates(const oci::Spec& spec);

}  // namespace trine::runtime::oci_cli
