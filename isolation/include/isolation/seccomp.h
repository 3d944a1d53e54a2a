#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Seccomp profiles and the filters that the kernel runs.
/// Source: OCI runtime-spec 1.3 config-linux.md#seccomp, seccomp(2), libseccomp.
namespace trine::isolation {

enum class SeccompAction { kAllow, kErrno, kKillProcess, kKillThread, kTrap, kTrace, kLog, kNotify };
enum class SeccompCompare { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kMaskedEqual };

struct SeccompArgument {
  unsigned index = 0;  ///< 0..5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;  ///< the datum of kMaskedEqual
  SeccompCompare compare = SeccompCompare::kEqual;
};

struct SeccompRule {
  std::vector<std::string> syscalls;  ///< a name that this libseccomp does not know is passed over
  SeccompAction action = SeccompAction::kAllow;
  std::uint16_t errno_value = 1;  ///< of kErrno and kTrace; EPERM
  std::vector<SeccompArgument> arguments;
};

struct SeccompProfile {
  SeccompAction default_action = SeccompAction::kErrno;
  std::uint16_t default_errno = 1;
  std::vector<std::uint32_t> architectures;  ///< SCMP_ARCH_… beside the native one
  std::uint32_t flags = 0;                   ///< SECCOMP_FILTER_FLAG_… for seccomp(2)
  std::string listener_path;                 ///< the socket that gets the notify descriptor (kNotify)
  std::string listener_metadata;
  std::vector<SeccompRule> rules;

  /// Whether some syscalls wait for the word of whoever has the notify descriptor.
  [[nodiscard]] bool notifies() const;
};

/// A compiled filter: an array of `struct sock_filter`, as seccomp(2) takes it.
struct SeccompFilter {
  std::string program;
  std::uint32_t flags = 0;
  bool notifies = false;  ///< its notify descriptor goes to StartHooks::on_listener
};

/// trine's default allow-list for a process with these capabilities (bit mask of CAP_… numbers): never wider
/// than Docker's. A syscall that is forbidden fails with EPERM, one that the profile does not know with
/// ENOSYS.
SeccompProfile default_seccomp_profile(std::uint64_t capabilities);

/// Compiles with libseccomp. A syscall newer than every one that the profile's author knew fails with ENOSYS,
/// so that programs fall back, unless the default action is to allow. Throws Error.
SeccompFilter compile_seccomp(const SeccompProfile& profile);

/// compile_seccomp() through a cache: `cache_directory` holds at most 256 compiled filters by a hash of the
/// profile, the kernel's release and libseccomp's version. Only files of our own uid that nobody else can
/// write are used; a damaged one is made anew; a directory that cannot be used is no error.
SeccompFilter cached_seccomp(const SeccompProfile& profile, const std::string& cache_directory);

/// Whether the running kernel takes a SECCOMP_FILTER_FLAG_….
bool kernel_has_seccomp_flag(std::uint32_t flag);

}  // namespace trine::isolation
