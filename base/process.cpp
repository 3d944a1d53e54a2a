#include "base/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/pipe.h"

extern char** environ;

namespace trine::base {
namespace {

ExitStatus to_exit_status(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED)
    return {.code = info.si_status};
  return {.code = 128 + info.si_status, .signal = info.si_status};
}

}  // namespace

bool Process::signal(int number) const {
  return ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0;
}

ExitStatus Process::wait() {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0) {
    if (errno != EINTR)
      throw_errno("cannot wait for process " + std::to_string(pid_));
  }
  return to_exit_status(info);
}

std::optional<ExitStatus> Process::try_wait() {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) {
    throw_errno("cannot wait for process " + std::to_string(pid_));
  }
  if (info.si_pid == 0)
    return std::nullopt;
  return to_exit_status(info);
}

bool in_user_namespace() {
  const std::string map = read_file("/proc/self/uid_map");
  return map.find("4294967295") == std::string::npos;
}

Process clone_process(const CloneOptions& options) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = options.flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (options.cgroup) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(*options.cgroup);
  }
  const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0)
    throw_errno("cannot make a process");
  if (pid == 0)
    return {};
  return {static_cast<pid_t>(pid), UniqueFd(pidfd)};
}

std::vector<char*> to_argv(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const auto& word : words)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  return argv;
}

ProgramResult run_program(const std::string& path, const std::vector<std::string>& arguments,
                          std::size_t max_output) {
  std::vector<std::string> words{path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = to_argv(words);

  auto [reader, writer] = make_pipe();

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDERR_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, path.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw Error("cannot run " + path, error);
  writer.reset();

  ProgramResult result;
  result.output = read_all(reader.get(), "the output of " + path, max_output);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0) {
    if (errno != EINTR)
      throw_errno("cannot wait for " + path);
  }
  result.status = to_exit_status(info);
  return result;
}

}  // namespace trine::base
