#include "monitor/plan.h"

#include <fcntl.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kMostDisks = 15;

/// "fd:5" is a descriptor that the caller left open, everything else a path.
base::UniqueFd open_word(const std::string& word, int flags) {
  if (!word.starts_with("fd:"))
    return base::open_file(word, flags);
  const auto number = base::parse_unsigned(std::string_view(word).substr(3));
  if (!number || *number < 3 || *number > INT32_MAX || ::fcntl(static_cast<int>(*number), F_GETFD) < 0)
    throw base::Error(word + " is no descriptor that is open");
  const int fd = static_cast<int>(*number);
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return base::UniqueFd(fd);
}

std::uint64_t number_of(const std::string& flag, const std::string& word, std::uint64_t least,
                        std::uint64_t most) {
  const auto number = base::parse_size(word);
  if (!number || *number < least || *number > most) {
    throw base::Error(flag + " '" + word + "' is not between " + std::to_string(least) + " and " +
                      std::to_string(most));
  }
  return *number;
}

void add_disk(MachinePlan& plan, const std::string& word, bool read_only) {
  if (plan.disks.size() == kMostDisks)
    throw base::Error("a machine has at most " + std::to_string(kMostDisks) + " disks");
  plan.disks.push_back({.file = open_word(word, read_only ? O_RDONLY : O_RDWR), .read_only = read_only});
}

struct Flag {
  const char* name;
  void (*apply)(MachinePlan&, const std::string&);
};

constexpr std::array kFlags{
    Flag{"--kernel",
         [](MachinePlan& plan, const std::string& word) { plan.kernel = open_word(word, O_RDONLY); }},
    Flag{"--initramfs", [](MachinePlan& plan,
                           const std::string& word) { plan.initramfs.push_back(open_word(word, O_RDONLY)); }},
    Flag{"--command-line", [](MachinePlan& plan, const std::string& word) { plan.command_line = word; }},
    Flag{"--memory",
         [](MachinePlan& plan, const std::string& word) {
           plan.memory_bytes = number_of("--memory", word, kLeastMemory, 1ULL << 40U) & ~0xfffULL;
         }},
    Flag{"--cpus",
         [](MachinePlan& plan, const std::string& word) {
           plan.cpus = static_cast<unsigned>(number_of("--cpus", word, 1, 64));
         }},
    Flag{"--disk", [](MachinePlan& plan, const std::string& word) { add_disk(plan, word, false); }},
    Flag{"--read-only-disk", [](MachinePlan& plan, const std::string& word) { add_disk(plan, word, true); }},
    Flag{"--disk-bytes-per-second",
         [](MachinePlan& plan, const std::string& word) {
           plan.disk_limits.bytes = number_of("--disk-bytes-per-second", word, 512, 1ULL << 50U);
         }},
    Flag{"--disk-requests-per-second",
         [](MachinePlan& plan, const std::string& word) {
           plan.disk_limits.requests = number_of("--disk-requests-per-second", word, 1, 1ULL << 30U);
         }},
    Flag{"--connections",
         [](MachinePlan& plan, const std::string& word) { plan.connections = open_word(word, O_RDWR); }},
    Flag{"--console", [](MachinePlan& plan,
                         const std::string& word) { plan.console = open_word(word, O_WRONLY | O_APPEND); }},
};

}  // namespace

MachinePlan parse_plan(int count, char** arguments) {
  MachinePlan plan;
  for (int i = 1; i < count; i += 2) {
    const Flag* found = nullptr;
    for (const Flag& flag : kFlags) {
      if (std::strcmp(arguments[i], flag.name) == 0)
        found = &flag;
    }
    if (found == nullptr)
      throw base::Error(std::string("there is no flag ") + arguments[i], 0,
                        "trine-vmm is started by trine run --isolation vm");
    if (i + 1 == count)
      throw base::Error(std::string(found->name) + " needs a value");
    found->apply(plan, arguments[i + 1]);
  }
  if (!plan.kernel)
    throw base::Error("a machine needs a kernel: --kernel");
  return plan;
}

}  // namespace trine::hvm
