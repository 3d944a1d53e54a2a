#include "monitor/plan.h"

#include <fcntl.h>

#include <array>
#include <charconv>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "devices/net/tap.h"
#include "hvm-sandbox/net_queues.h"
#include "hvm-sandbox/rates.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kMostDisks = 15;
constexpr std::size_t kMostShares = 32;
constexpr std::size_t kMostNics = 8;

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

std::uint64_t rate_bytes(const std::string& flag, const std::string& word) {
  return number_of(flag, word, kLeastRateBytes, kMostRateBytes);
}

std::uint64_t rate_count(const std::string& flag, const std::string& word) {
  return number_of(flag, word, kLeastRateCount, kMostRateCount);
}

void add_disk(MachinePlan& plan, const std::string& word, bool read_only) {
  if (plan.disks.size() == kMostDisks)
    throw base::Error("a machine has at most " + std::to_string(kMostDisks) + " disks");
  plan.disks.push_back({.file = open_word(word, read_only ? O_RDONLY : O_RDWR), .read_only = read_only});
}

void add_mapped_disk(MachinePlan& plan, const std::string& word) {
  add_disk(plan, word, true);
  plan.disks.back().mapped = true;
}

/// "fd:5,tag=data,ro", with a path in place of fd:5 for people.
void add_share(MachinePlan& plan, const std::string& word) {
  if (plan.shares.size() == kMostShares)
    throw base::Error("a machine has at most " + std::to_string(kMostShares) + " shared directories");
  constexpr std::string_view kTag = ",tag=";
  constexpr std::string_view kReadOnly = ",ro";
  const std::size_t comma = word.rfind(kTag);
  if (comma == std::string::npos)
    throw base::Error("--share '" + word + "' has no tag", 0, "--share DIRECTORY,tag=NAME[,ro]");
  Share share{.tag = word.substr(comma + kTag.size())};
  if (share.tag.ends_with(kReadOnly)) {
    share.read_only = true;
    share.tag.resize(share.tag.size() - kReadOnly.size());
  }
  share.source = open_word(word.substr(0, comma), O_PATH);
  plan.shares.push_back(std::move(share));
}

/// "02:00:00:00:00:01"
void set_mac(NetOptions& options, const std::string& word) {
  constexpr std::size_t kHexDigits = 2;
  const std::vector<std::string> parts = base::split(word, ':');
  bool good = parts.size() == options.mac.size();
  for (std::size_t i = 0; good && i < parts.size(); ++i) {
    const char* const end = parts[i].data() + parts[i].size();
    good =
        parts[i].size() == kHexDigits && std::from_chars(parts[i].data(), end, options.mac[i], 16).ptr == end;
  }
  if (!good)
    throw base::Error("--net mac='" + word + "' is no Ethernet address");
}

void add_tap(Nic& nic, const std::string& word) {
  if (nic.taps.size() == kMostNetQueues)
    throw base::Error("a network interface has at most " + std::to_string(kMostNetQueues) + " queues");
  nic.taps.push_back(open_word(word, O_RDWR));
  prepare_tap(nic.taps.back().get());
}

/// "fd:5,mac=02:00:00:00:00:01,mtu=1500,bytes-per-second=1000000,packets-per-second=1000", and "queue=fd:6"
/// for each queue more that the tap has.
void add_nic(MachinePlan& plan, const std::string& word) {
  constexpr std::string_view kQueue = "queue=";
  constexpr std::string_view kBytes = "bytes-per-second=";
  constexpr std::string_view kPackets = "packets-per-second=";
  if (plan.nics.size() == kMostNics)
    throw base::Error("a machine has at most " + std::to_string(kMostNics) + " network interfaces");
  const std::vector<std::string> parts = base::split(word, ',');
  Nic nic;
  add_tap(nic, parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].starts_with(kQueue))
      add_tap(nic, parts[i].substr(kQueue.size()));
    else if (parts[i].starts_with("mac="))
      set_mac(nic.options, parts[i].substr(4));
    else if (parts[i].starts_with("mtu="))
      nic.options.mtu =
          static_cast<std::uint16_t>(number_of("--net mtu=", parts[i].substr(4), Net::kLeastMtu, UINT16_MAX));
    else if (parts[i].starts_with(kBytes))
      nic.options.limits.bytes = rate_bytes("--net bytes-per-second=", parts[i].substr(kBytes.size()));
    else if (parts[i].starts_with(kPackets))
      nic.options.limits.count = rate_count("--net packets-per-second=", parts[i].substr(kPackets.size()));
    else
      throw base::Error("--net has no option '" + parts[i] + "'", 0,
                        "it has queue=, mac=, mtu=, bytes-per-second= and packets-per-second=");
  }
  plan.nics.push_back(std::move(nic));
}

void set_pages(MachinePlan& plan, const std::string& word) {
  if (word == "merged")
    plan.merge_pages = true;
  else if (word == "small")
    plan.small_pages = true;
  else
    throw base::Error("--pages '" + word + "' is unknown", 0, "merged or small");
}

struct Flag {
  const char* name;
  void (*apply)(MachinePlan&, const std::string&);
};

constexpr std::array kFlags{
    Flag{"--kvm", [](MachinePlan& plan, const std::string& word) { plan.kvm = open_word(word, O_RDWR); }},
    Flag{"--kernel",
         [](MachinePlan& plan, const std::string& word) { plan.kernel = open_word(word, O_RDONLY); }},
    Flag{"--initramfs", [](MachinePlan& plan,
                           const std::string& word) { plan.initramfs.push_back(open_word(word, O_RDONLY)); }},
    Flag{"--command-line", [](MachinePlan& plan, const std::string& word) { plan.command_line = word; }},
    Flag{"--memory",
         [](MachinePlan& plan, const std::string& word) {
           plan.memory_bytes = number_of("--memory", word, kLeastMemory, 1ULL << 40U) & ~0xfffULL;
         }},
    Flag{"--pages", set_pages},
    Flag{"--cpus",
         [](MachinePlan& plan, const std::string& word) {
           plan.cpus = static_cast<unsigned>(number_of("--cpus", word, 1, 64));
         }},
    Flag{"--disk", [](MachinePlan& plan, const std::string& word) { add_disk(plan, word, false); }},
    Flag{"--read-only-disk", [](MachinePlan& plan, const std::string& word) { add_disk(plan, word, true); }},
    Flag{"--mapped-disk", add_mapped_disk},
    Flag{"--disk-bytes-per-second",
         [](MachinePlan& plan, const std::string& word) {
           plan.disk_limits.bytes = rate_bytes("--disk-bytes-per-second", word);
         }},
    Flag{"--disk-requests-per-second",
         [](MachinePlan& plan, const std::string& word) {
           plan.disk_limits.count = rate_count("--disk-requests-per-second", word);
         }},
    Flag{"--proc", [](MachinePlan& plan, const std::string& word) { plan.proc = open_word(word, O_PATH); }},
    Flag{"--share", [](MachinePlan& plan, const std::string& word) { add_share(plan, word); }},
    Flag{"--net", add_nic},
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
