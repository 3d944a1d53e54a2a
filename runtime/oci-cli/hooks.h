#pragma once

#include <functional>
#include <string>
#include <vector>

#include "isolation/hook.h"
#include "runtime/oci/spec.h"

/// The specification's hooks by the moments of a container's life. `state` is the state document.
/// Source: OCI runtime-spec 1.3 config.md#posix-platform-hooks.
namespace trine::runtime::oci_cli {

bool has_environment_hooks(const oci::Spec& spec);
/// prestart, then createRuntime: in the runtime's namespaces. `state` gives the document for a status. Throws
/// Error.
void run_environment_hooks(const oci::Spec& spec,
                           const std::function<std::string(const char* status)>& state);
/// For the container's first process to run.
std::vector<isolation::Hook> create_container_hooks(const oci::Spec& spec);
std::vector<isolation::Hook> start_container_hooks(const oci::Spec& spec);
/// Throws Error: since 1.3 a failure is fatal.
void run_poststart_hooks(const oci::Spec& spec, const std::string& state);
/// A failure is a warning: the container is gone already, and the others still have to run.
void run_poststop_hooks(const oci::Spec& spec, const std::string& state);

}  // namespace trine::runtime::oci_cli
