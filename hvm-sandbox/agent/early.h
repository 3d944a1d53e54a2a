#pragma once

namespace trine::hvm {

/// From the kernel's first call of /init to a system in which programs can be made: loads the drivers that
/// lie in /modules, leaves the initramfs for a tmpfs (from which a container can pivot), mounts /dev, /proc,
/// /sys, /run and the cgroup hierarchy, brings the log to the kernel's console. Throws base::Error.
void set_up_guest();

/// Ends the machine.
[[noreturn]] void power_off();

}  // namespace trine::hvm
