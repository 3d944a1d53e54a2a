#include "user_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/file.h"
#include "base/process.h"

namespace trine::isolation {
namespace {

std::string format_mappings(const std::vector<IdMapping>& mappings) {
  std::string text;
  for (const auto& mapping : mappings) {
    text += std::to_string(mapping.container_id) + " " + std::to_string(mapping.host_id) + " " +
            std::to_string(mapping.size) + "\n";
  }
  return text;
}

[[noreturn]] void wait_for_the_end(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have ended before that.
  while (::getppid() == parent)
    ::pause();
  ::_exit(0);
}

}  // namespace

void write_id_mappings(pid_t pid, const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids) {
  const std::string process = "/proc/" + std::to_string(pid);
  base::write_value(process + "/uid_map", format_mappings(uids));
  base::write_value(process + "/gid_map", format_mappings(gids));
}

base::UniqueFd make_user_namespace(const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids) {
  const pid_t parent = ::getpid();
  base::Process holder = base::clone_process({.flags = CLONE_NEWUSER});
  if (!holder)
    wait_for_the_end(parent);
  const auto end = [&] {
    holder.signal(SIGKILL);
    holder.wait();
  };
  try {
    write_id_mappings(holder.pid(), uids, gids);
    base::UniqueFd made = base::open_file("/proc/" + std::to_string(holder.pid()) + "/ns/user", O_RDONLY);
    end();
    return made;
  } catch (...) {
    end();
    throw;
  }
}

}  // namespace trine::isolation
