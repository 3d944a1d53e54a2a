#include "isolation/capabilities.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/error.h"

namespace trine::isolation {
namespace {

constexpr std::array<std::string_view, 41> kNames{"CAP_CHOWN",
                                                  "CAP_DAC_OVERRIDE",
                                                  "CAP_DAC_READ_SEARCH",
                                                  "CAP_FOWNER",
                                                  "CAP_FSETID",
                                                  "CAP_KILL",
                                                  "CAP_SETGID",
                                                  "CAP_SETUID",
                                                  "CAP_SETPCAP",
                                                  "CAP_LINUX_IMMUTABLE",
                                                  "CAP_NET_BIND_SERVICE",
                                                  "CAP_NET_BROADCAST",
                                                  "CAP_NET_ADMIN",
                                                  "CAP_NET_RAW",
                                                  "CAP_IPC_LOCK",
                                                  "CAP_IPC_OWNER",
                                                  "CAP_SYS_MODULE",
                                                  "CAP_SYS_RAWIO",
                                                  "CAP_SYS_CHROOT",
                                                  "CAP_SYS_PTRACE",
                                                  "CAP_SYS_PACCT",
                                                  "CAP_SYS_ADMIN",
                                                  "CAP_SYS_BOOT",
                                                  "CAP_SYS_NICE",
                                                  "CAP_SYS_RESOURCE",
                                                  "CAP_SYS_TIME",
                                                  "CAP_SYS_TTY_CONFIG",
                                                  "CAP_MKNOD",
                                                  "CAP_LEASE",
                                                  "CAP_AUDIT_WRITE",
                                                  "CAP_AUDIT_CONTROL",
                                                  "CAP_SETFCAP",
                                                  "CAP_MAC_OVERRIDE",
                                                  "CAP_MAC_ADMIN",
                                                  "CAP_SYSLOG",
                                                  "CAP_WAKE_ALARM",
                                                  "CAP_BLOCK_SUSPEND",
                                                  "CAP_AUDIT_READ",
                                                  "CAP_PERFMON",
                                                  "CAP_BPF",
                                                  "CAP_CHECKPOINT_RESTORE"};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

struct RawSets {
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};
};

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return (std::uint64_t{high} << 32) | low;
}

RawSets read_sets() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  RawSets sets;
  if (::syscall(SYS_capget, &header, sets.words.data()) != 0)
    base::throw_errno("cannot read the capabilities");
  return sets;
}

std::uint64_t permitted_now() {
  const RawSets sets = read_sets();
  return join(sets.words[0].permitted, sets.words[1].permitted);
}

std::string describe(std::uint64_t mask) {
  std::string text;
  for (int number = 0; number < 64; ++number) {
    if ((mask & capability_bit(number)) == 0)
      continue;
    const auto name = capability_name(number);
    text += (text.empty() ? "" : ", ") + (name.empty() ? std::to_string(number) : std::string(name));
  }
  return text;
}

}  // namespace

const std::uint64_t kDefaultCapabilities =
    capability_bit(CAP_CHOWN) | capability_bit(CAP_DAC_OVERRIDE) | capability_bit(CAP_FSETID) |
    capability_bit(CAP_FOWNER) | capability_bit(CAP_MKNOD) | capability_bit(CAP_NET_RAW) |
    capability_bit(CAP_SETGID) | capability_bit(CAP_SETUID) | capability_bit(CAP_SETFCAP) |
    capability_bit(CAP_SETPCAP) | capability_bit(CAP_NET_BIND_SERVICE) | capability_bit(CAP_SYS_CHROOT) |
    capability_bit(CAP_KILL) | capability_bit(CAP_AUDIT_WRITE);

std::optional<int> parse_capability(std::string_view name) {
  for (std::size_t number = 0; number < kNames.size(); ++number) {
    if (equal_ignoring_case(name, kNames[number]) || equal_ignoring_case(name, kNames[number].substr(4))) {
      return static_cast<int>(number);
    }
  }
  return std::nullopt;
}

std::string_view capability_name(int number) {
  return number >= 0 && static_cast<std::size_t>(number) < kNames.size()
             ? kNames[static_cast<std::size_t>(number)]
             : std::string_view{};
}

std::uint64_t all_capabilities() {
  static const std::uint64_t all = [] {
    std::uint64_t mask = 0;
    for (int number = 0; number < 64 && ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
      mask |= capability_bit(number);
    }
    return mask;
  }();
  return all;
}

std::uint64_t available_capabilities() {
  std::uint64_t mask = 0;
  for (int number = 0; number < 64; ++number) {
    if ((all_capabilities() & capability_bit(number)) != 0 &&
        ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) {
      mask |= capability_bit(number);
    }
  }
  return mask;
}

void drop_bounding(const Capabilities& capabilities) {
  for (int number = 0; number < 64; ++number) {
    if ((capabilities.bounding & capability_bit(number)) != 0)
      continue;
    // The first number that the kernel does not know ends the list.
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) {
      if (errno == EINVAL)
        break;
      base::throw_errno("cannot drop " + std::string(capability_name(number)));
    }
  }
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    base::throw_errno("cannot keep the capabilities");
}

void set_capabilities(const Capabilities& capabilities) {
  const std::uint64_t missing = (capabilities.permitted | capabilities.inheritable) & ~permitted_now();
  if (missing != 0) {
    throw base::Error("cannot give the container " + describe(missing) + ": trine itself does not have it",
                      EPERM, "leave it out, or run trine where it has that capability");
  }
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  RawSets sets;
  for (unsigned word = 0; word < sets.words.size(); ++word) {
    const unsigned shift = word == 0 ? 0 : 32;
    sets.words[word].effective = static_cast<std::uint32_t>(capabilities.effective >> shift);
    sets.words[word].permitted = static_cast<std::uint32_t>(capabilities.permitted >> shift);
    sets.words[word].inheritable = static_cast<std::uint32_t>(capabilities.inheritable >> shift);
  }
  if (::syscall(SYS_capset, &header, sets.words.data()) != 0)
    base::throw_errno("cannot set the capabilities");
  // The kernel raises only what is permitted and inheritable; bundles in use (runc's own example among them)
  // ask for more and run all the same.
  const std::uint64_t ambient = capabilities.ambient & capabilities.permitted & capabilities.inheritable;
  for (int number = 0; number < 64; ++number) {
    if ((ambient & capability_bit(number)) == 0)
      continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) {
      base::throw_errno("cannot make " + std::string(capability_name(number)) + " ambient");
    }
  }
}

}  // namespace trine::isolation
