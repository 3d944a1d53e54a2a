#pragma once

/// How trine-vmm tells its caller how the machine ended. What is not good is explained on standard error.
namespace trine::hvm {

constexpr int kExitPowerOff = 0;
constexpr int kExitFailure = 1;   ///< the monitor itself could not go on, or was asked for what it cannot do
constexpr int kExitReset = 10;    ///< the guest rebooted
constexpr int kExitPanic = 11;    ///< its kernel panicked
constexpr int kExitFault = 12;    ///< its processor cannot go on
constexpr int kExitStopped = 13;  ///< ended by a signal

}  // namespace trine::hvm
