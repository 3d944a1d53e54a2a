#include "image_helper.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/output_file.h"
#include "base/pipe.h"
#include "base/process.h"

extern char** environ;

namespace trine::runtime::engine {
namespace {

/// `output` below 0: trine's own.
pid_t spawn(const std::string& name, const std::vector<std::string>& arguments, int output) {
  std::vector<std::string> words{base::find_helper(name)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = base::to_argv(words);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (output >= 0)
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw base::Error(std::string("cannot run ") + argv[0], error);
  return pid;
}

int wait_for(pid_t pid, const std::string& name) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      base::throw_errno("cannot wait for " + name);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

HelperResult ask_helper(const std::string& name, const std::vector<std::string>& arguments) {
  auto [reader, writer] = base::make_pipe();
  const pid_t pid = spawn(name, arguments, writer.get());
  writer.reset();
  HelperResult result{.output = base::read_all(reader.get(), "the output of " + name, 1 << 20)};
  result.code = wait_for(pid, name);
  return result;
}

int run_helper(const std::string& name, const std::vector<std::string>& arguments, int output) {
  return wait_for(spawn(name, arguments, output), name);
}

int run_helper_into(const std::string& file, const std::string& name,
                    const std::vector<std::string>& arguments) {
  if (file.empty())
    return run_helper(name, arguments);
  struct stat status{};
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    const base::UniqueFd there = base::open_file(file, O_WRONLY | O_NOCTTY);
    return run_helper(name, arguments, there.get());
  }
  base::OutputFile output(file);
  const int code = run_helper(name, arguments, output.fd());
  if (code == 0)
    output.keep();
  return code;
}

}  // namespace trine::runtime::engine
