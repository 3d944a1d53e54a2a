#include "vm_monitor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/socket.h"
#include "base/text.h"
#include "hvm-sandbox/cpio.h"

namespace trine::runtime::backend {
namespace {

std::vector<std::string> words_of(const MonitorOptions& options, const std::string& program, int channel,
                                  const AgentArchive& agent) {
  std::vector<std::string> words{program,
                                 "--kernel",
                                 options.kernel,
                                 "--command-line",
                                 options.command_line,
                                 "--memory",
                                 std::to_string(options.memory_bytes),
                                 "--cpus",
                                 std::to_string(options.cpus),
                                 "--connections",
                                 "fd:" + std::to_string(channel)};
  for (const std::string& file : options.initramfs_files)
    words.insert(words.end(), {"--initramfs", file});
  for (const std::string& part :
       {"fd:" + std::to_string(agent.before.get()), agent.program, "fd:" + std::to_string(agent.after.get())})
    words.insert(words.end(), {"--initramfs", part});
  for (const std::string& disk : options.read_only_disks)
    words.insert(words.end(), {"--read-only-disk", disk});
  for (const MonitorNic& nic : options.nics)
    words.insert(words.end(), {"--net", "fd:" + std::to_string(nic.tap) + "," + nic.options});
  return words;
}

/// In the child. Nothing here may allocate: the caller may have threads.
[[noreturn]] void become_monitor(char* const* words, pid_t caller, std::span<const int> kept) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != caller)
    ::_exit(1);
  // The terminal's signals are the caller's to pass on to the workload.
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int fd : kept)
    ::fcntl(fd, F_SETFD, 0);
  const int null = ::open("/dev/null", O_RDWR);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(null, STDOUT_FILENO) < 0)
    ::_exit(1);
  ::execv(words[0], words);
  ::_exit(127);
}

base::UniqueFd in_memory(const std::string& content) {
  base::UniqueFd file(::memfd_create("agent", MFD_CLOEXEC));
  if (!file)
    base::throw_errno("cannot get memory for the guest's agent");
  base::write_all(file.get(), content, "the guest's initramfs");
  return file;
}

}  // namespace

AgentArchive make_agent_archive() {
  constexpr unsigned kConsoleMajor = 5;
  AgentArchive parts{.program = base::find_helper("trine-agent")};
  std::error_code error;
  const auto size = std::filesystem::file_size(parts.program, error);
  if (error)
    throw base::Error("cannot read " + parts.program, error.value());
  hvm::CpioWriter archive;
  archive.add_directory("dev");
  archive.add_character_device("dev/console", 0600, kConsoleMajor, 1);
  parts.before = in_memory(std::move(archive).finish_before("init", size, 0755));
  parts.after = in_memory(hvm::CpioWriter{}.finish());
  return parts;
}

Monitor::Monitor(const MonitorOptions& options) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    base::throw_errno("cannot make a socket for the monitor");
  channel_.reset(pair[0]);
  const base::UniqueFd theirs(pair[1]);
  const AgentArchive agent = make_agent_archive();
  const std::vector<std::string> words =
      words_of(options, base::find_helper("trine-vmm"), theirs.get(), agent);
  std::vector<int> kept{theirs.get(), agent.before.get(), agent.after.get()};
  for (const MonitorNic& nic : options.nics)
    kept.push_back(nic.tap);
  const std::vector<char*> argv = base::to_argv(words);
  const pid_t caller = ::getpid();
  process_ = base::clone_process({});
  if (!process_)
    become_monitor(argv.data(), caller, kept);
}

Monitor::~Monitor() {
  if (!process_)
    return;
  process_.signal(SIGKILL);
  try {
    process_.wait();
  } catch (const base::Error&) {
    // It was waited for already.
  }
}

std::optional<GuestConnection> Monitor::accept() const {
  std::array<char, 16> text{};
  base::Received received = base::receive_with_descriptor(channel_.get(), text, MSG_DONTWAIT);
  if (!received.descriptor)
    return std::nullopt;
  GuestConnection connection{.socket = std::move(received.descriptor)};
  const auto port = base::parse_unsigned({text.data(), static_cast<std::size_t>(received.size)});
  if (!port || *port > UINT32_MAX)
    return std::nullopt;
  connection.port = static_cast<std::uint32_t>(*port);
  return connection;
}

}  // namespace trine::runtime::backend
