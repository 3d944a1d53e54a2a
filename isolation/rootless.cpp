#include "isolation/rootless.h"

#include <grp.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "subordinate_ids.h"
#include "user_namespace.h"

namespace trine::isolation {
namespace {

constexpr std::size_t kMaxFile = 16 << 20;

std::string read_if_there(const std::string& path) {
  return ::access(path.c_str(), R_OK) == 0 ? base::read_file(path, kMaxFile) : std::string();
}

std::vector<IdRange> ranges_of(const std::string& file, const std::string& user, std::uint32_t id) {
  auto ranges = find_id_ranges(read_if_there(file), user, id);
  if (!ranges.empty())
    return ranges;
  const std::string name = user.empty() ? std::to_string(id) : user;
  throw base::Error("cannot run a rootless instance: " + file + " has no range for user " + name, 0,
                    "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 " + name);
}

/// Stays outside the namespace, where newuidmap has its privilege, and writes the mappings of its parent.
class Mapper {
 public:
  Mapper(const std::vector<std::string>& uids, const std::vector<std::string>& gids)
      : go_(::eventfd(0, EFD_CLOEXEC)) {
    process_ = base::clone_process({});
    if (process_)
      return;
    std::uint64_t ready = 0;
    if (::read(go_.get(), &ready, sizeof ready) != sizeof ready || ready != 1)
      ::_exit(1);
    try {
      run_mapper("newuidmap", uids);
      run_mapper("newgidmap", gids);
    } catch (const base::Error& error) {
      base::print_error(error);
      ::_exit(1);
    }
    ::_exit(0);
  }

  /// `unshared`: whether there is a namespace to write the mappings of.
  bool finish(bool unshared) {
    const std::uint64_t word = unshared ? 1 : 2;
    [[maybe_unused]] const auto written = ::write(go_.get(), &word, sizeof word);
    return process_.wait().code == 0;
  }

 private:
  base::UniqueFd go_;
  base::Process process_;
};

[[noreturn]] void explain_refusal(int error) {
  std::string hint;
  if (base::trim(read_if_there("/proc/sys/user/max_user_namespaces")) == "0") {
    hint = "as root: sysctl user.max_user_namespaces=28633";
  } else if (base::trim(read_if_there("/proc/sys/kernel/unprivileged_userns_clone")) == "0") {
    hint = "as root: sysctl kernel.unprivileged_userns_clone=1";
  }
  throw base::Error("cannot make a user namespace for a rootless instance", error, hint);
}

}  // namespace

IdMappings default_id_mappings() {
  const std::uint32_t uid = ::geteuid();
  const std::string user = user_name(read_if_there("/etc/passwd"), uid);
  const auto map = [&](const char* file, std::uint32_t own) {
    return map_ids(own, find_id_ranges(read_if_there(file), user, uid));
  };
  return {.uids = map("/etc/subuid", uid), .gids = map("/etc/subgid", ::getegid())};
}

bool is_rootless() {
  return ::geteuid() != 0;
}

std::string own_user_name() {
  return user_name(read_if_there("/etc/passwd"), ::geteuid());
}

void enter_user_namespace() {
  const std::uint32_t uid = ::geteuid();
  const std::uint32_t gid = ::getegid();
  const std::string user = own_user_name();
  Mapper mapper(mapper_arguments(::getpid(), map_ids(uid, ranges_of("/etc/subuid", user, uid))),
                mapper_arguments(::getpid(), map_ids(gid, ranges_of("/etc/subgid", user, uid))));
  const bool unshared = ::unshare(CLONE_NEWUSER) == 0;
  const int error = errno;
  const bool mapped = mapper.finish(unshared);
  if (!unshared)
    explain_refusal(error);
  // The mapper has said why.
  if (!mapped)
    ::_exit(125);
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0) {
    base::throw_errno("cannot become root in the user namespace");
  }
}

}  // namespace trine::isolation
