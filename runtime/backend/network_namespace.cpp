#include "runtime/backend/network_namespace.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"

namespace trine::runtime::backend {

base::UniqueFd open_network_namespace(const std::string& path) {
  base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    const int error = errno;
    throw base::Error("cannot open the network namespace " + path, error,
                      "ip netns list shows those with names");
  }
  if (::ioctl(file.get(), NS_GET_NSTYPE) != CLONE_NEWNET)
    throw base::Error(path + " is no network namespace", 0, "ip netns add NAME makes /run/netns/NAME");
  return file;
}

std::string resolver_configuration(const std::string& path) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  for (const std::string& file : {"/etc/netns/" + name + "/resolv.conf", std::string("/etc/resolv.conf")}) {
    if (::access(file.c_str(), R_OK) == 0)
      return base::read_file(file);
  }
  return {};
}

std::optional<std::vector<netns::Traffic>> traffic_of_process(pid_t process) {
  const base::UniqueFd theirs(
      ::open(("/proc/" + std::to_string(process) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat other{};
  struct stat own{};
  if (!theirs || ::fstat(theirs.get(), &other) != 0 || ::stat("/proc/self/ns/net", &own) != 0)
    return std::nullopt;
  if (other.st_dev == own.st_dev && other.st_ino == own.st_ino)
    return std::nullopt;
  try {
    return netns::traffic_of_namespace(theirs.get());
  } catch (const base::Error& error) {
    if (error.errno_value() == EPERM)
      return std::nullopt;
    throw;
  }
}

}  // namespace trine::runtime::backend
