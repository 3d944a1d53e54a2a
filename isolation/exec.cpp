#include "exec.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/process.h"
#include "base/text.h"
#include "isolation/start.h"
#include "report.h"
#include "steps.h"

namespace trine::isolation {
namespace {

constexpr const char* kSealedName = "trine: sealed exec";
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Failure describe(const std::string& program, int error, bool found) {
  Failure failure;
  failure.message = "cannot run " + program;
  failure.errno_value = error;
  failure.exec = true;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      if (found) {
        failure.message += ": its interpreter is not in the root file system";
        failure.hint = "look at its first line (a script), or at the dynamic linker that it names";
      } else if (program.find('/') == std::string::npos) {
        failure.message += ": executable file not found in $PATH";
      }
      failure.not_found = true;
      break;
    case ENOEXEC:
      failure.hint = "the file is no program for this machine, or a script without \"#!\" in its first line";
      break;
    case EACCES:
      failure.hint = "is it executable (chmod +x), and not on a file system mounted with noexec?";
      break;
    default:
      break;
  }
  return failure;
}

struct Environment {
  std::vector<std::string> texts;
  std::string path{kDefaultPath};
};

/// A name that is given twice has the later value: shells and C libraries do not agree which they would take.
std::vector<std::string> last_of_each(const std::vector<std::string>& entries) {
  std::unordered_map<std::string_view, std::size_t> last;
  const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  for (std::size_t i = 0; i < entries.size(); ++i)
    last[name_of(entries[i])] = i;
  std::vector<std::string> result;
  result.reserve(last.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (last[name_of(entries[i])] == i)
      result.push_back(entries[i]);
  }
  return result;
}

Environment make_environment(const Context& context) {
  Environment environment{.texts = last_of_each(context.plan.process.env)};
  std::erase(environment.texts, "HOME=");  // stands for the default, as in runc
  bool has_home = false;
  for (const auto& entry : environment.texts) {
    if (entry.starts_with("PATH="))
      environment.path = entry.substr(5);
    if (entry.starts_with("HOME="))
      has_home = true;
  }
  if (!has_home)
    environment.texts.push_back("HOME=" + context.home);
  return environment;
}

/// Whether both are in one mount: not by their devices, for the files of an overlay's layers have devices of
/// their own, and a volume may be of the root's. By these where the program's filter, which holds by now,
/// denies the call that tells mounts apart, or the kernel does not know it (before Linux 5.8).
bool are_in_one_mount(int file, int root) {
  struct statx of_file{};
  struct statx of_root{};
  const bool known = ::statx(file, "", AT_EMPTY_PATH, STATX_MNT_ID, &of_file) == 0 &&
                     ::statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &of_root) == 0 &&
                     (of_file.stx_mask & of_root.stx_mask & STATX_MNT_ID) != 0;
  if (known)
    return of_file.stx_mnt_id == of_root.stx_mnt_id;
  struct stat file_status{};
  struct stat root_status{};
  return ::fstat(file, &file_status) == 0 && ::fstat(root, &root_status) == 0 &&
         file_status.st_dev == root_status.st_dev;
}

/// Whether the file is a binary that was made by the image alone and is not this very program.
bool is_plain_binary(const Context& context, const char* path) {
  const base::UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 4> magic{};
  struct stat status{};
  struct stat self{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      ::fstat(context.executable.get(), &self) != 0) {
    return false;
  }
  const base::UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root || !are_in_one_mount(file.get(), root.get()))
    return false;  // on a volume, which others may write
  if (status.st_dev == self.st_dev && status.st_ino == self.st_ino)
    return false;
  return ::read(file.get(), magic.data(), magic.size()) == 4 && std::memcmp(magic.data(), "\177ELF", 4) == 0;
}

/// A copy of this program in memory that nobody can write any more.
base::UniqueFd sealed_copy(int executable) {
  base::UniqueFd copy(::memfd_create("trine", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy)
    base::throw_errno("cannot make a sealed copy of trine");
  ssize_t moved = 0;
  while ((moved = ::sendfile(copy.get(), executable, nullptr, 1 << 30)) > 0) {
  }
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (moved < 0 || ::fcntl(copy.get(), F_ADD_SEALS, kSeals) != 0) {
    base::throw_errno("cannot make a sealed copy of trine");
  }
  return copy;
}

/// Hands over to run_sealed_exec() in the sealed copy. The channel outlives that exec, so that a failure of
/// the second one is still reported. Returns the error.
int execute_sealed(const Context& context, const std::string& path, const Environment& environment) {
  const int channel = context.channel.fd();
  const base::UniqueFd copy = sealed_copy(context.executable.get());
  std::vector<std::string> arguments{kSealedName, std::to_string(channel), path};
  const auto& args = context.plan.process.args;
  arguments.insert(arguments.end(), args.begin(), args.end());
  ::fcntl(channel, F_SETFD, 0);
  ::syscall(SYS_execveat, copy.get(), "", base::to_argv(arguments).data(),
            base::to_argv(environment.texts).data(), AT_EMPTY_PATH);
  const int error = errno;
  ::fcntl(channel, F_SETFD, FD_CLOEXEC);
  return error;
}

/// Comes back only on failure, with the error.
int execute(const Context& context, const std::string& path, const Environment& environment) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    return errno;
  if (S_ISDIR(status.st_mode))
    return EACCES;
  if (!is_plain_binary(context, path.c_str()))
    return execute_sealed(context, path, environment);
  ::execve(path.c_str(), base::to_argv(context.plan.process.args).data(),
           base::to_argv(environment.texts).data());
  return errno;
}

/// The caller's own program: it is of the host, and not the image's to replace. Returns the error.
int execute_given(const Context& context, const Environment& environment) {
  for (const int fd : context.hooks.kept_descriptors)
    ::fcntl(fd, F_SETFD, 0);
  ::syscall(SYS_execveat, context.hooks.executable, "", base::to_argv(context.plan.process.args).data(),
            base::to_argv(environment.texts).data(), AT_EMPTY_PATH);
  return errno;
}

/// 0 for a file that can be executed.
int program_error(const struct stat& status) {
  return S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0 ? 0 : EACCES;
}

/// Why there is no `program` to execute, by `error_of`, which is 0 for the path of one; nothing when there
/// is.
std::optional<Failure> missing_program(const std::string& program, const std::string& search_path,
                                       const std::function<int(const std::string&)>& error_of) {
  if (program.find('/') != std::string::npos) {
    const int error = error_of(program);
    return error == 0 ? std::nullopt : std::optional(describe(program, error, false));
  }
  int reported = ENOENT;
  for (const auto& directory : base::split(search_path, ':')) {
    const int error = error_of((directory.empty() ? "." : directory) + "/" + program);
    if (error == 0)
      return std::nullopt;
    if (error == EACCES)
      reported = error;
  }
  return describe(program, reported, false);
}

}  // namespace

void open_executable(Context& context) {
  if (context.hooks.gate >= 0 || context.hooks.executable >= 0)
    return;  // who opens the gate brings it; the caller has done it
  context.executable = base::open_file("/proc/self/exe", O_RDONLY);
}

std::vector<std::string> program_environment(const Context& context) {
  return make_environment(context).texts;
}

void check_program(Context& context) {
  if (context.hooks.gate < 0)
    return;  // the exec itself is about to tell
  if (const auto failure = missing_program(
          context.plan.process.args.front(), make_environment(context).path, [](const std::string& path) {
            struct stat status{};
            return ::stat(path.c_str(), &status) != 0 ? errno : program_error(status);
          }))
    throw ExecFailure{*failure};
}

void check_program(int root, const Process& process) {
  std::string path(kDefaultPath);
  for (const auto& entry : process.env) {
    if (entry.starts_with("PATH="))
      path = entry.substr(5);
  }
  const auto failure = missing_program(process.args.front(), path, [&](const std::string& name) {
    const base::UniqueFd file =
        base::try_open_in_root(root, name.starts_with('/') ? name : process.cwd + "/" + name, O_PATH);
    struct stat status{};
    return !file || ::fstat(file.get(), &status) != 0 ? errno : program_error(status);
  });
  if (failure)
    rethrow(*failure);
}

void execute_program(const Context& context) {
  const Environment environment = make_environment(context);
  const std::string& program = context.plan.process.args.front();
  if (context.hooks.executable >= 0)
    throw ExecFailure{describe(program, execute_given(context, environment), true)};
  if (program.find('/') != std::string::npos) {
    const int error = execute(context, program, environment);
    throw ExecFailure{describe(program, error, ::access(program.c_str(), F_OK) == 0)};
  }
  int reported = ENOENT;
  bool found = false;
  for (const auto& directory : base::split(environment.path, ':')) {
    if (program.empty())
      break;
    const std::string path = (directory.empty() ? "." : directory) + "/" + program;
    const int error = execute(context, path, environment);
    if (error == ENOENT || error == ENOTDIR) {
      if (::access(path.c_str(), F_OK) != 0)
        continue;
      found = true;
    }
    // As execvp(3): a file that may not be executed does not end the search, but is what is reported.
    reported = error;
    if (error != EACCES)
      break;
  }
  throw ExecFailure{describe(program, reported, found)};
}

void run_sealed_exec(int count, char** arguments) {
  if (count < 4 || std::strcmp(arguments[0], kSealedName) != 0)
    return;
  const auto number = base::parse_unsigned(arguments[1]);
  if (!number || *number < 3 || *number > 1 << 20)
    return;
  const int fd = static_cast<int>(*number);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const std::string path = arguments[2];
  ::execve(path.c_str(), arguments + 3, environ);
  const int error = errno;
  Channel(base::UniqueFd(fd)).send_failure(describe(arguments[3], error, ::access(path.c_str(), F_OK) == 0));
  ::_exit(127);
}

}  // namespace trine::isolation
