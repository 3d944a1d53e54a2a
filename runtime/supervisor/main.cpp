// trine-supervisor: stays with one instance that runs in the background. It is executed in the place of the
// trine that started the instance, so that it is the parent of the instance's first process, and executes a
// trine in its own place when that has ended: the lock on the instance is held throughout.
//
//   trine-supervisor NAME=VALUE... -- PROGRAM ARGUMENT...
//
// NAMEs are of descriptors (process, output, errors, input, terminal, listener, client), and pid, log,
// log-bytes and log-files. PROGRAM gets the exit code as one argument more.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor.h"

namespace {

namespace base = trine::base;
using trine::runtime::supervisor::Supervisor;
using trine::runtime::supervisor::Ward;

int number_of(std::string_view text) {
  const auto number = base::parse_unsigned(text);
  if (!number || *number > INT32_MAX)
    throw base::Error("'" + std::string(text) + "' is no number");
  return static_cast<int>(*number);
}

/// From here on it is ours, and nobody's that we execute.
base::UniqueFd descriptor_of(std::string_view text) {
  base::UniqueFd fd(number_of(text));
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0)
    base::throw_errno("descriptor " + std::string(text) + " was not handed over");
  return fd;
}

struct Options {
  Ward ward;
  std::vector<std::string> command;
};

void set(Options& options, int& pid, base::UniqueFd& process, std::string_view name, std::string_view value) {
  Ward& ward = options.ward;
  if (name == "pid")
    pid = number_of(value);
  else if (name == "process")
    process = descriptor_of(value);
  else if (name == "output")
    ward.output = descriptor_of(value);
  else if (name == "errors")
    ward.errors = descriptor_of(value);
  else if (name == "input")
    ward.input = descriptor_of(value);
  else if (name == "terminal")
    ward.terminal = descriptor_of(value);
  else if (name == "listener")
    ward.listener = descriptor_of(value);
  else if (name == "client")
    ward.client = descriptor_of(value);
  else if (name == "log")
    ward.log.path = value;
  else if (name == "log-bytes")
    ward.log.most_bytes = base::parse_unsigned(value).value_or(0);
  else if (name == "log-files")
    ward.log.files = static_cast<unsigned>(number_of(value));
  else
    throw base::Error("'" + std::string(name) + "' is unknown", 0, "trine-supervisor is executed by trine");
}

Options parse(int count, char** arguments) {
  Options options;
  int pid = -1;
  base::UniqueFd process;
  int next = 1;
  for (; next < count && std::string_view(arguments[next]) != "--"; ++next) {
    const std::string_view word = arguments[next];
    const std::size_t sign = std::min(word.find('='), word.size());
    set(options, pid, process, word.substr(0, sign), word.substr(std::min(sign + 1, word.size())));
  }
  options.ward.process = base::Process(pid, std::move(process));
  options.command.assign(arguments + std::min(next + 1, count), arguments + count);
  const Ward& ward = options.ward;
  if (!ward.process || !ward.listener || ward.log.files == 0 || options.command.empty() ||
      (!ward.terminal && !(ward.output && ward.errors)))
    throw base::Error("trine-supervisor was not given all that it needs", 0, "it is executed by trine");
  return options;
}

/// Our own streams lead nowhere: what we could say is of no instance.
void execute(std::vector<std::string> command, int code) {
  command.push_back(std::to_string(code));
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execv(command.front().c_str(), base::to_argv(command).data());
  base::throw_errno("cannot execute " + command.front());
}

}  // namespace

int main(int count, char** arguments) {
  base::set_program_name("trine-supervisor");
  std::signal(SIGPIPE, SIG_IGN);  // a program that does not read its input any more is no reason to end
  try {
    Options options = parse(count, arguments);
    const int code = Supervisor(std::move(options.ward)).run().code;
    execute(std::move(options.command), code);
  } catch (const std::exception& error) {
    base::print_error(error.what());
  }
  return 125;
}
