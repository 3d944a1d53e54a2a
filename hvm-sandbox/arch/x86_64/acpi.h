#pragma once

#include "memory/guest_memory.h"

namespace trine::hvm::x86 {

struct AcpiFacts {
  unsigned cpus = 1;     ///< local APIC ids 0 to cpus - 1
  unsigned devices = 0;  ///< virtio devices, at layout.h's addresses
};

/// Writes the tables of a hardware-reduced ACPI machine: processors, the I/O APIC, each virtio device, the
/// serial port, power-off and reset. No table has code. Throws base::Error when they do not fit.
/// Source: ACPI 6.5 §4.1 (hardware-reduced), §5.2.
void write_acpi(const GuestMemory& memory, const AcpiFacts& facts);

}  // namespace trine::hvm::x86
