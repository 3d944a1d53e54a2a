#include "in_group.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>

#include "base/process.h"
#include "base/text.h"
#include "detect.h"

using namespace trine;
using namespace trine::cgroups;

std::string cannot_make_groups() {
  if (::geteuid() != 0)
    return "making cgroups needs root";
  const auto hierarchies = detect();
  if (hierarchies.layout == Layout::kNone)
    return "this machine has no cgroups";
  const std::string probe = hierarchies.all.front().mount_point + "/" + unique_name();
  if (::mkdir(probe.c_str(), 0755) != 0)
    return "this process may not make cgroups";
  ::rmdir(probe.c_str());
  return {};
}

bool has_controller(const std::string& v1_name, const std::string& v2_name) {
  const auto machine = detect();
  if (find_v1(machine, v1_name) != nullptr)
    return true;
  const auto* v2 = find_v2(machine);
  if (v2 == nullptr)
    return false;
  const auto offered = v2_controllers(*v2);
  return std::ranges::find(offered, v2_name) != offered.end();
}

bool on_v1(const std::string& controller) {
  return find_v1(detect(), controller) != nullptr;
}

int use_memory(std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return 1;
  std::memset(memory, 1, bytes);
  return 0;
}

std::string unique_name() {
  return "trine-unit-" + base::random_hex(6);
}

TestGroup::TestGroup(const Limits& limits, const Hierarchies& hierarchies)
    : name_(unique_name()), group_(create(hierarchies, name_, limits)) {}

TestGroup::~TestGroup() {
  try {
    group_.kill_all();
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    group_.remove();
  } catch (const std::exception&) {
    // The test has said by then what is wrong.
  }
}

std::string TestGroup::file(const std::string& name) const {
  return read_group_file(group_, name);
}

std::string read_group_file(const Group& group, const std::string& name) {
  for (const auto& directory : group.directories()) {
    std::ifstream in(directory + "/" + name);
    if (!in)
      continue;
    std::string text{std::istreambuf_iterator<char>(in), {}};
    while (!text.empty() && text.back() == '\n')
      text.pop_back();
    return text;
  }
  return "(no such file)";
}

pid_t start_in(const Group& group, const std::function<int()>& work) {
  const auto born = group.birth_directory();
  auto process = base::clone_process({.flags = 0, .cgroup = born});
  if (process)
    return process.pid();
  try {
    group.join_self(born.has_value());
  } catch (const std::exception&) {
    ::_exit(99);
  }
  ::_exit(work());
}

int wait_for(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid)
    return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

bool eventually(const std::function<bool()>& condition) {
  constexpr int kTries = 500;
  for (int i = 0; i < kTries; ++i) {
    if (condition())
      return true;
    ::usleep(10'000);
  }
  return false;
}
