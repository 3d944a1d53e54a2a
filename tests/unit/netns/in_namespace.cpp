#include "in_namespace.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <memory>

namespace {
constexpr int kNotAllowed = 77;

[[noreturn]] void child(int out, const std::function<std::string()>& work) {
  if (::unshare(CLONE_NEWNET) != 0)
    ::_exit(kNotAllowed);
  std::string text;
  try {
    text = work();
  } catch (const std::exception& error) {
    text = std::string("threw: ") + error.what();
  }
  ::_exit(::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
}
}  // namespace

ChildResult in_new_network_namespace(const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0)
    return {.text = "no pipe"};
  const pid_t pid = ::fork();
  if (pid == 0)
    child(ends[1], work);
  ::close(ends[1]);
  ChildResult result;
  std::array<char, 512> buffer{};
  ssize_t got = 0;
  while ((got = ::read(ends[0], buffer.data(), buffer.size())) > 0) {
    result.text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.allowed = !(WIFEXITED(status) && WEXITSTATUS(status) == kNotAllowed);
  return result;
}

std::string shell(const std::string& command) {
  struct Close {
    void operator()(FILE* file) const { ::pclose(file); }
  };
  const std::unique_ptr<FILE, Close> pipe(::popen((command + " 2>&1").c_str(), "r"));
  std::string output;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr)
    output += buffer.data();
  return output;
}
