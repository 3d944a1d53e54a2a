#include "isolation/hook.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "base/pipe.h"
#include "base/process.h"
#include "base/text.h"

namespace trine::isolation {
namespace {

using Clock = std::chrono::steady_clock;

/// A file in memory, so that a hook that does not read cannot block us.
base::UniqueFd memory_file(const std::string& content) {
  base::UniqueFd file(::memfd_create("trine hook", MFD_CLOEXEC));
  if (!file)
    base::throw_errno("cannot make the input of a hook");
  base::write_all(file.get(), content, "the input of a hook");
  if (::lseek(file.get(), 0, SEEK_SET) != 0)
    base::throw_errno("cannot make the input of a hook");
  return file;
}

[[noreturn]] void execute(const Hook& hook, int input, int errors) {
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);  // so that its children end with it
  ::dup2(input, STDIN_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  const std::vector<std::string> arguments = hook.args.empty() ? std::vector{hook.path} : hook.args;
  ::execve(hook.path.c_str(), base::to_argv(arguments).data(),
           hook.env ? base::to_argv(*hook.env).data() : environ);
  const std::string text = base::errno_text(errno) + "\n";
  (void)!::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(127);
}

/// The end of the process, or nothing when its time is over. Its standard error is read meanwhile.
std::optional<base::ExitStatus> await(base::Process& process, int errors, std::string& output,
                                      std::optional<Clock::time_point> deadline) {
  constexpr std::size_t kMaxOutput = 4096;
  std::array<pollfd, 2> waits{pollfd{.fd = process.pidfd(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = errors, .events = POLLIN, .revents = 0}};
  for (;;) {
    int timeout = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
      if (left <= 0)
        return std::nullopt;
      timeout = static_cast<int>(std::min<decltype(left)>(left, 1'000'000'000));
    }
    if (::poll(waits.data(), waits.size(), timeout) < 0 && errno != EINTR)
      base::throw_errno("cannot wait for a hook");
    std::array<char, 1024> buffer{};
    if (waits[1].revents != 0) {
      const ssize_t got = ::read(errors, buffer.data(), buffer.size());
      if (got > 0 && output.size() < kMaxOutput)
        output.append(buffer.data(), static_cast<std::size_t>(got));
      if (got <= 0 && errno != EAGAIN)
        waits[1].fd = -1;  // closed by the hook: only its end is waited for
    } else if (waits[0].revents != 0) {
      return process.wait();
    }
  }
}

}  // namespace

void run_hook(const Hook& hook, const std::string& state) {
  const base::UniqueFd input = memory_file(state);
  auto [errors, writer] = base::make_pipe(O_NONBLOCK);
  base::Process process = base::clone_process({});
  if (!process)
    execute(hook, input.get(), writer.get());
  writer.reset();

  std::optional<Clock::time_point> deadline;
  if (hook.timeout)
    deadline = Clock::now() + *hook.timeout;
  std::string output;
  const auto status = await(process, errors.get(), output, deadline);
  const std::string said = output.empty() ? "" : ": " + std::string(base::trim(output));
  if (!status) {
    ::kill(-process.pid(), SIGKILL);
    process.signal(SIGKILL);
    process.wait();
    throw base::Error("the hook " + hook.path + " did not end within its " +
                      std::to_string(hook.timeout->count()) + " seconds" + said);
  }
  if (status->code != 0)
    throw base::Error("the hook " + hook.path + " failed with exit code " + std::to_string(status->code) +
                      said);
}

void run_hooks(const char* stage, const std::vector<Hook>& hooks, const std::string& state) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    try {
      run_hook(hooks[i], state);
    } catch (const base::Error& error) {
      // The words of the first part are runc's, for those who look for them in a log.
      throw base::Error(
          std::string("error running ") + stage + " hook #" + std::to_string(i) + ": " + error.what(), 0,
          error.hint());
    }
  }
}

}  // namespace trine::isolation
