// Source: Linux Documentation/admin-guide/cgroup-v1/devices.rst.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "../controllers.h"
#include "../device_policy.h"
#include "base/error.h"

namespace trine::cgroups::v1 {
namespace {

/// The file takes one rule a write; it is opened once.
void write_rules(const Directory& directory, const char* file,
                 const std::vector<DeviceException>& exceptions) {
  const base::UniqueFd out(::openat(directory.fd.get(), file, O_WRONLY | O_CLOEXEC));
  if (!out)
    base::throw_errno("cannot control the devices of " + directory.path + ": cannot open " + file);
  for (const auto& exception : exceptions) {
    const auto rule = text_of(exception);
    if (::write(out.get(), rule.data(), rule.size()) >= 0)
      continue;
    const int error = errno;
    throw base::Error(
        "cannot control the devices of " + directory.path + ": the kernel does not take '" + rule + "' in " +
            file,
        error,
        error == EPERM ? "a group may not reach a device that its parent group may not; leave the device out"
                       : "");
  }
}

}  // namespace

void apply_devices(const Directory& directory, const DevicePolicy& policy) {
  // A new group has what its parent has: say first what holds for all devices.
  directory.write(policy.allow_by_default ? "devices.allow" : "devices.deny", "a", "device");
  if (policy.exceptions.empty())
    return;
  write_rules(directory, policy.allow_by_default ? "devices.deny" : "devices.allow", policy.exceptions);
}

}  // namespace trine::cgroups::v1
