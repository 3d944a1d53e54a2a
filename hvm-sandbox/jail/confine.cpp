#include "jail/confine.h"

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "base/unique_fd.h"
#include "jail/seccomp_filter.h"

namespace trine::hvm {
namespace {

/// In a build for tests, whose runtime makes calls of its own from every thread: none of them is in a list.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasSanitizer = true;
#else
constexpr bool kHasSanitizer = false;
#endif

/// Without it only a privileged thread may confine itself.
void forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    base::throw_errno("cannot set no_new_privs");
}

/// struct landlock_ruleset_attr of Linux 6.12; an older kernel takes the beginning that it knows.
struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;  ///< since version 4 of the interface
  std::uint64_t scopes = 0;   ///< since version 6
};

/// Rights by the version of the interface that brought them: bits from 0 on.
constexpr std::uint64_t file_rights(long version) {
  const unsigned bits = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
  return (1ULL << bits) - 1;
}

std::size_t size_for(long version) {
  return version >= 6   ? sizeof(Ruleset)
         : version >= 4 ? offsetof(Ruleset, scopes)
                        : offsetof(Ruleset, network);
}

/// Of those that a file itself can be given, to read, write and cut it (bit 14, since version 3).
constexpr std::uint64_t kRightsOfFile =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | 1ULL << 14U;

void allow_beneath(int ruleset, int place, std::uint64_t rights) {
  struct stat status{};
  const bool is_directory = ::fstat(place, &status) == 0 && S_ISDIR(status.st_mode);
  landlock_path_beneath_attr rule{};
  rule.allowed_access =
      rights & (is_directory ? ~static_cast<std::uint64_t>(LANDLOCK_ACCESS_FS_EXECUTE) : kRightsOfFile);
  rule.parent_fd = place;
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) != 0)
    base::throw_errno("cannot leave the monitor what is shared with its guest");
}

}  // namespace

void confine_thread(ThreadKind kind) {
  if (kHasSanitizer)
    return;
  forbid_new_privileges();
  std::vector<sock_filter> filter = make_filter(allowed_calls(kind));
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) != 0)
    base::throw_errno("cannot confine a thread of the monitor", "its kernel needs CONFIG_SECCOMP_FILTER=y");
}

void restrict_files(std::span<const int> allowed_places) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0UL, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1)
    return;  // not in this kernel, or switched off at its start
  forbid_new_privileges();
  constexpr std::uint64_t kTcp = 3;     // to bind and to connect
  constexpr std::uint64_t kScopes = 3;  // abstract sockets and signals
  const Ruleset rules{.files = file_rights(version), .network = kTcp, .scopes = kScopes};
  const base::UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, size_for(version), 0U)));
  if (!ruleset)
    base::throw_errno("cannot take the host's files from the monitor");
  for (const int place : allowed_places)
    allow_beneath(ruleset.get(), place, rules.files);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0U) != 0)
    base::throw_errno("cannot take the host's files from the monitor");
}

}  // namespace trine::hvm
