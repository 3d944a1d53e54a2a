#pragma once

namespace trine::hvm {

/// Runs a loop of a few instructions in a guest and measures it: nanoseconds for one instruction. Below 10 on
/// hardware; a thousand and more where the host only imitates the processor for a guest's kernel. Throws
/// base::Error when the host cannot run a guest.
double probe_guest_code();

}  // namespace trine::hvm
