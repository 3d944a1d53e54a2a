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

/// A port's number, or an answer.
constexpr std::size_t kMostPacket = 256;

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
  const std::array kept{theirs.get(), agent.before.get(), agent.after.get()};
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

std::optional<GuestConnection> Monitor::accept() {
  for (;;) {
    std::array<char, kMostPacket> text{};
    base::Received received = base::receive_with_descriptor(channel_.get(), text, MSG_DONTWAIT);
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
