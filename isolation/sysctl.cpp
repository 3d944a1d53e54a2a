#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "mount_api.h"
#include "steps.h"

namespace trine::isolation {
namespace {

/// "net.ipv4.ip_forward" is sys/net/ipv4/ip_forward; a name that has slashes keeps its dots, as sysctl(8) has
/// it for interfaces such as eth0.1.
std::string sysctl_path(std::string name) {
  if (name.find('/') == std::string::npos)
    std::ranges::replace(name, '.', '/');
  return "sys/" + name;
}

const char* hint_for(int error) {
  switch (error) {
    case ENOENT:
      return "this kernel has no such sysctl in a container's namespaces";
    case EXDEV:
      return "a mount of the configuration covers it: leave that out, or the sysctl";
    default:
      return "";
  }
}

/// Opened below our own procfs and without leaving it, so that what is written surely reaches the kernel
/// (CVE-2025-52881).
base::UniqueFd open_sysctl(int proc, const std::string& path, const std::string& name) {
  open_how how{};
  how.flags = O_WRONLY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  base::UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, proc, path.c_str(), &how, sizeof how)));
  if (!fd)
    base::throw_errno("cannot set the sysctl " + name, hint_for(errno));
  return fd;
}

}  // namespace

void write_sysctls(Context& context) {
  if (context.plan.sysctls.empty())
    return;
  base::UniqueFd own;
  if (!context.proc)
    own = FilesystemContext("proc").mount(0);
  const int proc = context.proc ? context.proc.get() : own.get();
  for (const auto& [name, value] : context.plan.sysctls) {
    const base::UniqueFd fd = open_sysctl(proc, sysctl_path(name), name);
    base::write_all(fd.get(), value, "the sysctl " + name);
  }
}

}  // namespace trine::isolation
