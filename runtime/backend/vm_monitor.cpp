#include "vm_monitor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/log.h"
#include "base/socket.h"
#include "base/text.h"
#include "hvm-sandbox/cpio.h"
#include "hvm-sandbox/kvm_device.h"
#include "vm_jail.h"

namespace trine::runtime::backend {
namespace {

/// A port's number, or an answer.
constexpr std::size_t kMostPacket = 256;

/// The command line of trine-vmm and what is given to it, all of it open: the monitor reaches no file.
class Gifts {
 public:
  void say(const char* flag, std::string value) { words_.insert(words_.end(), {flag, std::move(value)}); }
  /// `more` follows the descriptor's number.
  void give(const char* flag, base::UniqueFd fd, const std::string& more = {}) {
    say(flag, "fd:" + std::to_string(fd.get()) + more);
    given_.push_back(std::move(fd));
  }
  void give(const char* flag, const std::string& file) { give(flag, base::open_file(file, O_RDONLY)); }

  /// The caller goes on holding it.
  std::string lend(int fd) {
    lent_.push_back(fd);
    return "fd:" + std::to_string(fd);
  }

  void serve_files(bool serves) { serves_files_ = serves; }

  [[nodiscard]] JailedProgram for_program(int executable) const {
    JailedProgram program{.words = words_, .executable = executable, .serves_files = serves_files_};
    for (const base::UniqueFd& fd : given_)
      program.kept_descriptors.push_back(fd.get());
    program.kept_descriptors.insert(program.kept_descriptors.end(), lent_.begin(), lent_.end());
    return program;
  }

 private:
  std::vector<std::string> words_{"trine-vmm"};
  std::vector<base::UniqueFd> given_;
  std::vector<int> lent_;
  bool serves_files_ = false;
};

/// As trine-vmm's --net takes it.
std::string lend_nic(Gifts& gifts, const MonitorNic& nic) {
  std::string word;
  for (const int tap : nic.taps)
    word += (word.empty() ? "" : ",queue=") + gifts.lend(tap);
  return word + "," + nic.options;
}

Gifts gifts_of(MonitorOptions& options, base::UniqueFd channel) {
  Gifts gifts;
  gifts.give("--kvm", hvm::open_kvm_device());
  gifts.give("--kernel", options.kernel);
  gifts.say("--command-line", options.command_line);
  gifts.say("--memory", std::to_string(options.memory_bytes));
  gifts.say("--cpus", std::to_string(options.cpus));
  if (options.pages.merged)
    gifts.say("--pages", "merged");
  if (options.pages.small)
    gifts.say("--pages", "small");
  gifts.give("--connections", std::move(channel));
  for (const std::string& file : options.initramfs_files)
    gifts.give("--initramfs", file);
  AgentArchive agent = make_agent_archive();
  for (base::UniqueFd* part : {&agent.before, &agent.program, &agent.after})
    gifts.give("--initramfs", std::move(*part));
  for (const std::string& disk : options.read_only_disks)
    gifts.give(options.map_disks ? "--mapped-disk" : "--read-only-disk", disk);
  if (options.disk_rate.bytes > 0)
    gifts.say("--disk-bytes-per-second", std::to_string(options.disk_rate.bytes));
  if (options.disk_rate.count > 0)
    gifts.say("--disk-requests-per-second", std::to_string(options.disk_rate.count));
  // An empty root has no /proc, by which the files of shares are opened anew.
  if (!options.shares.empty())
    gifts.give("--proc", base::open_file("/proc", O_PATH | O_DIRECTORY));
  for (VmShare& share : options.shares)
    gifts.give("--share", std::move(share.source), ",tag=" + share.tag + (share.read_only ? ",ro" : ""));
  for (const MonitorNic& nic : options.nics)
    gifts.say("--net", lend_nic(gifts, nic));
  gifts.serve_files(!options.shares.empty());
  return gifts;
}

base::UniqueFd in_memory(const std::string& content) {
  base::UniqueFd file(::memfd_create("agent", MFD_CLOEXEC));
  if (!file)
    base::throw_errno("cannot get memory for the guest's agent");
  base::write_all(file.get(), content, "the guest's initramfs");
  return file;
}

/// "ok", "ok …", "error …", and nothing that was not asked for: more than a few answers are a monitor's that
/// has been taken over.
void add_answer(std::deque<MonitorAnswer>& answers, std::string_view words) {
  constexpr std::size_t kMostAnswers = 64;
  if (answers.size() == kMostAnswers)
    return;
  const std::size_t space = words.find(' ');
  const std::string_view rest =
      space == std::string_view::npos ? std::string_view() : words.substr(space + 1);
  answers.push_back({.ok = words.substr(0, space) == "ok", .text = std::string(rest)});
}

}  // namespace

AgentArchive make_agent_archive() {
  constexpr unsigned kConsoleMajor = 5;
  const std::string path = base::find_helper("trine-agent");
  AgentArchive parts{.program = base::open_file(path, O_RDONLY)};
  struct stat status{};
  if (::fstat(parts.program.get(), &status) != 0)
    base::throw_errno("cannot read " + path);
  hvm::CpioWriter archive;
  archive.add_directory("dev");
  archive.add_character_device("dev/console", 0600, kConsoleMajor, 1);
  parts.before =
      in_memory(std::move(archive).finish_before("init", static_cast<std::uint64_t>(status.st_size), 0755));
  parts.after = in_memory(hvm::CpioWriter{}.finish());
  return parts;
}

Monitor::Monitor(MonitorOptions options) {
  auto [ours, theirs] = base::socket_pair(SOCK_SEQPACKET);
  channel_ = std::move(ours);
  const Gifts gifts = gifts_of(options, std::move(theirs));
  const base::UniqueFd program = base::open_file(base::find_helper("trine-vmm"), O_RDONLY);
  cgroups::Limits limits = monitor_limits(options.memory_bytes, options.cpus);
  limits.cpu = options.cpu;
  group_ = make_monitor_group(options.cgroup_name, limits);
  try {
    process_ = start_jailed(gifts.for_program(program.get()), group_, [&](pid_t pid) {
                 if (options.on_created)
                   options.on_created(pid, group_);
               }).process;
  } catch (const base::Error&) {
    end();
    throw;
  }
}

Monitor::~Monitor() {
  end();
}

void Monitor::end() noexcept {
  if (process_) {
    process_.signal(SIGKILL);
    try {
      process_.wait();
    } catch (const base::Error&) {
      // It was waited for already.
    }
  }
  try {
    group_.remove();
  } catch (const base::Error& error) {
    base::print_warning(error.what());
  }
}

std::optional<GuestConnection> Monitor::accept() {
  for (;;) {
    std::array<char, kMostPacket> text{};
    base::Received received = base::receive_with_descriptor(channel_.get(), text, MSG_DONTWAIT);
    // It has closed its end, and may be ending; polled on, this would be readable all the while.
    if (received.size == 0)
      channel_.reset();
    if (received.size <= 0)
      return std::nullopt;
    const std::string_view words(text.data(), static_cast<std::size_t>(received.size));
    if (!received.descriptor) {
      add_answer(answers_, words);
      continue;
    }
    const auto port = base::parse_unsigned(words);
    if (port && *port <= UINT32_MAX)
      return GuestConnection{.port = static_cast<std::uint32_t>(*port),
                             .socket = std::move(received.descriptor)};
  }
}

bool Monitor::ask(const std::string& word) {
  return ::send(channel_.get(), word.data(), word.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(word.size());
}

std::optional<MonitorAnswer> Monitor::take_answer() {
  if (answers_.empty())
    return std::nullopt;
  MonitorAnswer answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

}  // namespace trine::runtime::backend
