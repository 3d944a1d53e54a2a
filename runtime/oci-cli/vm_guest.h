#pragma once

#include "globals.h"
#include "runtime/backend/vm.h"
#include "store.h"

namespace trine::runtime::oci_cli {

/// What is to run in the guest, and how large it is: from the container's configuration and, for what the
/// image and the engine have no say in, the administrator's (/etc/trine/vm.json). Throws Error.
backend::VmOptions make_guest(const Globals& globals, const Container& container);

/// Throws isolation::ExecError when the bundle surely has no such program. The guest would find that out, but
/// not before `start`, and engines tell such an error of `create` from others.
void check_guest_program(const oci::Spec& spec, const std::string& bundle);

/// The memory of the machine that it is to have, in bytes.
std::uint64_t guest_memory(const oci::Spec& spec);

/// The same process, for a guest: without what only the host has, such as the profile of its LSM.
isolation::Process process_in_guest(isolation::Process process);

}  // namespace trine::runtime::oci_cli
