#include <asm/unistd.h>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>

#include "base/unique_fd.h"
#include "jail/confine.h"
#include "jail/seccomp_tables.h"

using namespace trine::hvm;

namespace {

[[maybe_unused]] constexpr std::array kKinds{ThreadKind::kLoop, ThreadKind::kVcpu, ThreadKind::kShares};
constexpr long kMostCalls = 600;  ///< above all that there are
/// uretprobe(2), uprobe(2): the kernel's own, made by code that it puts into a process. Newer ones (6.14) do
/// not show them to filters, and end or refuse whoever else makes them.
constexpr std::array<long, 2> kKernelsOwn{335, 336};
constexpr unsigned long kNowhere = 0;

/// Runs `part` in a child: its exit code, or minus the signal that ended it.
int in_child(const std::function<void()>& part) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    part();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// As a thread of this kind, which makes one call: what became of it.
[[maybe_unused]] int after_call(ThreadKind kind, long number, std::array<unsigned long, 6> arguments = {}) {
  return in_child([&] {
    confine_thread(kind);
    ::syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  });
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // there threads are not confined
TEST_CASE("every call that is not in a thread's list ends it") {
  for (const ThreadKind kind : kKinds) {
    std::set<long> allowed;
    for (const AllowedCall& call : allowed_calls(kind))
      allowed.insert(call.number);
    REQUIRE(!allowed.empty());
    for (long number = 0; number < kMostCalls; ++number) {
      if (allowed.contains(number) || std::ranges::find(kKernelsOwn, number) != kKernelsOwn.end())
        continue;
      INFO("kind " << static_cast<int>(kind) << ", call " << number);
      CHECK(after_call(kind, number) == -SIGSYS);
    }
  }
}

TEST_CASE("the calls in a thread's list can be made") {
  const std::set<long> ends{__NR_exit, __NR_exit_group, __NR_tgkill, __NR_rt_sigreturn};
  for (const ThreadKind kind : kKinds) {
    for (const AllowedCall& call : allowed_calls(kind)) {
      if (ends.contains(call.number))
        continue;
      std::array<unsigned long, 6> arguments{~0UL, kNowhere, kNowhere, kNowhere, kNowhere, kNowhere};
      if (call.check)
        arguments[call.check->argument] = call.check->value;
      INFO("kind " << static_cast<int>(kind) << ", call " << call.number);
      CHECK(after_call(kind, call.number, arguments) == 0);
    }
  }
}

TEST_CASE("a call whose arguments are not those of the list ends the thread") {
  struct Forbidden {
    const char* what;
    long number;
    std::array<unsigned long, 6> arguments;
  };
  const std::array forbidden{
      Forbidden{
          "memory that is code", __NR_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS}},
      Forbidden{"guest memory for other pages", __NR_madvise, {0, 4096, MADV_MERGEABLE}},
      Forbidden{"a signal that is not the kick", __NR_tgkill, {1, 1, SIGKILL}},
      Forbidden{"another call of KVM", __NR_ioctl, {~0UL, KVM_SET_USER_MEMORY_REGION}},
      Forbidden{"a call of a terminal", __NR_ioctl, {0, 0x5412}},
      Forbidden{"a socket of the network", __NR_socketpair, {AF_INET, SOCK_STREAM}},
      Forbidden{"a copy of a descriptor", __NR_fcntl, {0, F_DUPFD}},
  };
  for (const ThreadKind kind : kKinds) {
    for (const Forbidden& call : forbidden) {
      INFO("kind " << static_cast<int>(kind) << ", " << call.what);
      CHECK(after_call(kind, call.number, call.arguments) == -SIGSYS);
    }
  }
}

#ifdef __x86_64__
TEST_CASE("the other ways into an x86-64 kernel are closed") {
  constexpr long kX32 = 0x40000000;
  for (const ThreadKind kind : kKinds) {
    CHECK(after_call(kind, kX32 | __NR_close, {~0UL}) == -SIGSYS);
    const int of_32_bit = in_child([&] {
      confine_thread(kind);
      long number = 6;  // close(2) of i386, and lstat(2) here; 3 of x86-64 is allowed
      asm volatile("int $0x80" : "+a"(number) : "b"(-1) : "memory");
    });
    // A kernel without 32-bit calls does not know the interrupt.
    CHECK((of_32_bit == -SIGSYS || of_32_bit == -SIGSEGV));
  }
}
#endif

#endif

TEST_CASE("files are taken away but those beneath the allowed directories") {
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0UL, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
    std::puts("skipped: this kernel has no Landlock");
    return;
  }
  std::string made = "/tmp/jail_test.XXXXXX";
  REQUIRE(::mkdtemp(made.data()) != nullptr);
  const std::string inside = made + "/file";
  const trine::base::UniqueFd directory(::open(made.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto can_open = [&](std::span<const int> allowed, const std::string& path, int flags) {
    return in_child([&] {
             restrict_files(allowed);
             ::_exit(::open(path.c_str(), flags | O_CLOEXEC, 0600) >= 0 ? 0 : 1);
           }) == 0;
  };
  const std::array allowed{directory.get()};
  CHECK(can_open(allowed, inside, O_RDWR | O_CREAT));
  CHECK(can_open(allowed, inside, O_RDONLY));
  CHECK(!can_open(allowed, "/etc/passwd", O_RDONLY));
  CHECK(!can_open({}, inside, O_RDONLY));
  ::unlink(inside.c_str());
  ::rmdir(made.c_str());
}
