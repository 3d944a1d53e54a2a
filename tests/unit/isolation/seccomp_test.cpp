#include "isolation/seccomp.h"

#include <catch2/catch.hpp>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>

#include "base/text.h"
#include "isolation/capabilities.h"
#include "seccomp_load.h"

using namespace trine;
using namespace trine::isolation;

namespace {

/// The errno of a call made under a filter, in a process of its own; 0 when it succeeds.
int under(const SeccompFilter& filter, const std::function<long()>& call) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    load_seccomp(filter);
    errno = 0;
    const long result = call();
    ::_exit(result >= 0 ? 0 : errno);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

const SeccompFilter& default_filter() {
  static const SeccompFilter filter = compile_seccomp(default_seccomp_profile(kDefaultCapabilities));
  return filter;
}

}  // namespace

TEST_CASE("the default profile lets ordinary calls pass") {
  CHECK(under(default_filter(), [] { return ::syscall(SYS_getpid); }) == 0);
  CHECK(under(default_filter(), [] { return ::socket(AF_INET, SOCK_STREAM, 0); }) == 0);
  CHECK(under(default_filter(), [] { return ::personality(0xffffffff); }) == 0);
}

TEST_CASE("the default profile forbids what reaches beyond a container") {
  const auto& filter = default_filter();
  CHECK(under(filter, [] { return ::unshare(CLONE_NEWUSER); }) == EPERM);
  CHECK(under(filter, [] { return ::mount("none", "/tmp", "tmpfs", 0, nullptr); }) == EPERM);
  CHECK(under(filter, [] { return ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0); }) == EPERM);
  CHECK(under(filter, [] { return ::syscall(SYS_add_key, nullptr, nullptr, nullptr, 0, 0); }) == EPERM);
  CHECK(under(filter, [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }) == EPERM);
  CHECK(under(filter, [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }) == EPERM);
  CHECK(under(filter, [] { return ::syscall(SYS_userfaultfd, 0); }) == EPERM);
  CHECK(under(filter, [] {
          return ::syscall(SYS_clone, CLONE_NEWUSER, nullptr, nullptr, nullptr, nullptr);
        }) == EPERM);
  CHECK(under(filter, [] { return ::socket(AF_VSOCK, SOCK_STREAM, 0); }) == EPERM);
  CHECK(under(filter, [] { return ::personality(ADDR_NO_RANDOMIZE); }) == EPERM);
}

TEST_CASE("what a program is to fall back from does not exist") {
  CHECK(under(default_filter(), [] { return ::syscall(SYS_clone3, nullptr, 0); }) == ENOSYS);
  CHECK(under(default_filter(), [] { return ::syscall(9999); }) == ENOSYS);
}

#if defined(__x86_64__)
TEST_CASE("x32 numbers are no way round the filter") {
  CHECK(under(default_filter(),
              [] { return ::syscall(0x40000000 | SYS_mount, nullptr, nullptr, nullptr, 0, nullptr); }) != 0);
}

TEST_CASE("32-bit calls are no way round the filter") {
  constexpr long kMount32 = 21;
  CHECK(under(default_filter(), [] {
          long result = 0;
          asm volatile("int $0x80"
                       : "=a"(result)
                       : "a"(kMount32), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
                       : "memory");
          errno = static_cast<int>(-result);
          return result < 0 ? -1L : result;
        }) == EPERM);
}
#endif

TEST_CASE("a capability brings its calls") {
  const auto filter = compile_seccomp(default_seccomp_profile(capability_bit(CAP_SYS_ADMIN)));
  CHECK(under(filter, [] { return ::syscall(SYS_bpf, 9999, nullptr, 0); }) != EPERM);
  CHECK(under(filter, [] { return ::syscall(SYS_clone3, nullptr, 0); }) == EINVAL);
}

TEST_CASE("conditions on arguments hold") {
  SeccompProfile profile;
  profile.default_action = SeccompAction::kAllow;
  profile.rules.push_back({.syscalls = {"dup3"},
                           .action = SeccompAction::kErrno,
                           .errno_value = 77,
                           .arguments = {{.index = 0, .value = 5},
                                         {.index = 1, .value = 10, .compare = SeccompCompare::kGreater}}});
  const auto filter = compile_seccomp(profile);
  CHECK(under(filter, [] { return ::syscall(SYS_dup3, 5, 11, 0); }) == 77);
  CHECK(under(filter, [] { return ::syscall(SYS_dup3, 5, 10, 0); }) != 77);
  CHECK(under(filter, [] { return ::syscall(SYS_dup3, 4, 11, 0); }) != 77);
}

TEST_CASE("a cached filter is the compiled one; a damaged file is made anew, another's is not taken") {
  const std::string directory =
      std::filesystem::temp_directory_path() / ("trine-unit-" + base::random_hex(8));
  const auto profile = default_seccomp_profile(kDefaultCapabilities);
  const auto first = cached_seccomp(profile, directory);
  CHECK(first.program == default_filter().program);
  const std::filesystem::path file = *std::filesystem::directory_iterator(directory);
  CHECK(cached_seccomp(profile, directory).program == first.program);
  std::filesystem::resize_file(file, 100);
  CHECK(cached_seccomp(profile, directory).program == first.program);
  CHECK(std::filesystem::file_size(file) > 100);
  std::filesystem::permissions(file, std::filesystem::perms::others_write,
                               std::filesystem::perm_options::add);
  CHECK(cached_seccomp(profile, directory).program == first.program);
  std::filesystem::remove_all(directory);
}

TEST_CASE("the cache keeps the newest filters, and not more than 256") {
  const std::string directory =
      std::filesystem::temp_directory_path() / ("trine-unit-" + base::random_hex(8));
  SeccompProfile profile{.default_action = SeccompAction::kAllow};
  profile.rules.push_back({.syscalls = {"mount"}, .action = SeccompAction::kErrno});
  const auto fill = [&](std::uint16_t last) {
    for (std::uint16_t value = 1; value <= last; ++value) {
      profile.rules.front().errno_value = value;
      cached_seccomp(profile, directory);
    }
  };
  fill(256);
  const auto count = [&] {
    return std::distance(std::filesystem::directory_iterator(directory),
                         std::filesystem::directory_iterator());
  };
  CHECK(count() == 256);
  fill(260);
  CHECK(count() == 256);
  std::filesystem::remove_all(directory);
}
