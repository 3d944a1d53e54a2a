#include "user_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

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

bool is_only(const std::vector<IdMapping>& mappings, std::uint32_t id) {
  return mappings.size() == 1 && mappings.front().host_id == id && mappings.front().size == 1;
}

}  // namespace

std::vector<std::string> mapper_arguments(pid_t pid, const std::vector<IdMapping>& mappings) {
  std::vector<std::string> words{std::to_string(pid)};
  for (const auto& mapping : mappings) {
    words.push_back(std::to_string(mapping.container_id));
    words.push_back(std::to_string(mapping.host_id));
    words.push_back(std::to_string(mapping.size));
  }
  return words;
}

void run_mapper(const std::string& program, const std::vector<std::string>& arguments) {
  base::ProgramResult result;
  try {
    result = base::run_program(program, arguments);
  } catch (const base::Error& error) {
    throw base::Error("cannot run " + program + ", which a rootless instance needs", error.errno_value(),
                      "apt-get install uidmap");
  }
  if (result.status.code != 0) {
    throw base::Error("cannot map the user's ids: " + std::string(base::trim(result.output)), 0,
                      "look at /etc/subuid and /etc/subgid");
  }
}

void write_id_mappings(pid_t pid, const std::vector<IdMapping>& uids, const std::vector<IdMapping>& gids) {
  const std::string process = "/proc/" + std::to_string(pid);
  const bool root = ::geteuid() == 0;
  // An ordinary user may map no more than the own ids; newuidmap does what /etc/subuid allows.
  if (root || is_only(uids, ::geteuid())) {
    base::write_value(process + "/uid_map", format_mappings(uids));
  } else {
    run_mapper("newuidmap", mapper_arguments(pid, uids));
  }
  if (!root && !is_only(gids, ::getegid()))
    return run_mapper("newgidmap", mapper_arguments(pid, gids));
  // Who could leave a group could read what is kept from that group.
  if (!root)
    base::write_value(process + "/setgroups", "deny");
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
