#pragma once

#include <span>

/// What is left to the monitor once all is opened, before its guest runs: whoever takes it over by a device
/// finds no file to open, no program to run and few calls to make. Source: seccomp(2), landlock(7).
namespace trine::hvm {

/// Threads by what they do. Each has a list of its own in seccomp_tables.cpp; a new kind is a table there.
enum class ThreadKind {
  kLoop,    ///< the devices, and the machine's end
  kVcpu,    ///< a processor of the guest
  kShares,  ///< the server of the host's directories
};

/// Leaves the calling thread the calls of its kind, for ever: any other ends the whole process by SIGSYS. To
/// be called by the thread itself, when all that it needs is open and all threads that it makes are made.
/// Sets no_new_privs. Throws base::Error.
void confine_thread(ThreadKind kind);

/// Takes from the calling thread, and from those that it makes later, all files but these and what is
/// beneath them; and new TCP connections, and signals to others, where the kernel can. What is open stays
/// open. Sets no_new_privs. A kernel without Landlock is no error: the lists of calls forbid opening as well.
/// Throws base::Error.
void restrict_files(std::span<const int> allowed_places);

}  // namespace trine::hvm
