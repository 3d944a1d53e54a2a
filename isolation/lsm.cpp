#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "steps.h"

namespace trine::isolation {
namespace {

/// The container's procfs: what an image has at /proc instead would swallow the label (CVE-2019-16884,
/// CVE-2025-52881).
base::UniqueFd open_proc(const Context& context) {
  base::UniqueFd proc =
      base::try_open_in_root(context.root.get(), "/proc", O_PATH | O_DIRECTORY, 0, base::Symlinks::kRefuse);
  struct statfs status{};
  if (!proc || ::fstatfs(proc.get(), &status) != 0 || status.f_type != PROC_SUPER_MAGIC)
    throw base::Error("cannot set a security label: the container has no procfs on /proc");
  return proc;
}

void write_label(const Context& context, const char* file, const std::string& value, const std::string& what,
                 const char* module) {
  const base::UniqueFd proc = open_proc(context);
  const std::string path = "/" + std::to_string(::getpid()) + "/attr/" + file;
  const base::UniqueFd attribute =
      base::try_open_in_root(proc.get(), path, O_WRONLY, 0, base::Symlinks::kRefuse);
  const std::string hint =
      std::string("is ") + module + " enabled on this machine, and the label known to it?";
  if (!attribute)
    base::throw_errno("cannot set " + what, hint);
  if (::write(attribute.get(), value.data(), value.size()) < 0)
    base::throw_errno("cannot set " + what, hint);
}

}  // namespace

void set_security_labels(Context& context) {
  const Process& process = context.plan.process;
  if (!process.apparmor_profile.empty() && process.apparmor_profile != "unconfined") {
    write_label(context, "apparmor/exec", "exec " + process.apparmor_profile,
                "the AppArmor profile " + process.apparmor_profile, "AppArmor");
  }
  if (!process.selinux_label.empty()) {
    write_label(context, "exec", process.selinux_label, "the SELinux label " + process.selinux_label,
                "SELinux");
  }
}

}  // namespace trine::isolation
