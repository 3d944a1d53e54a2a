#include <sys/mount.h>
#include <sys/statvfs.h>

#include <array>
#include <utility>

#include "base/error.h"
#include "base/in_root.h"
#include "mount_api.h"

namespace trine::isolation {
namespace {

// Values of MOUNT_ATTR_… (linux/mount.h, which cannot be included beside sys/mount.h).
constexpr std::uint64_t kAttrReadOnly = 0x1;
constexpr std::uint64_t kAttrNoSuid = 0x2;
constexpr std::uint64_t kAttrNoDev = 0x4;
constexpr std::uint64_t kAttrNoExec = 0x8;
constexpr std::uint64_t kAttrAtimeMask = 0x70;
constexpr std::uint64_t kAttrNoAtime = 0x10;
constexpr std::uint64_t kAttrStrictAtime = 0x20;
constexpr std::uint64_t kAttrNoDirAtime = 0x80;

struct Translation {
  std::uint64_t attribute;
  unsigned long flag;
  unsigned long statvfs_flag;
};
constexpr std::array kTranslations{Translation{kAttrReadOnly, MS_RDONLY, ST_RDONLY},
                                   Translation{kAttrNoSuid, MS_NOSUID, ST_NOSUID},
                                   Translation{kAttrNoDev, MS_NODEV, ST_NODEV},
                                   Translation{kAttrNoExec, MS_NOEXEC, ST_NOEXEC},
                                   Translation{kAttrNoAtime, MS_NOATIME, ST_NOATIME},
                                   Translation{kAttrNoDirAtime, MS_NODIRATIME, ST_NODIRATIME}};

}  // namespace

void change_attributes_legacy(int mount, const AttributeChange& change, const std::string& where) {
  if (change.set == 0 && change.clear == 0)
    return;
  if (change.recursive) {
    throw base::Error(
        "cannot set the mount options of all below " + where + ": this kernel has no mount_setattr", 0,
        "recursive mount options need Linux 5.12");
  }
  // A remount replaces all flags at once, so start from those the mount has.
  struct statvfs now{};
  if (::fstatvfs(mount, &now) != 0)
    base::throw_errno("cannot read the mount options of " + where);
  unsigned long flags = 0;
  for (const auto& [attribute, flag, statvfs_flag] : kTranslations) {
    const bool keep = (now.f_flag & statvfs_flag) != 0 && (change.clear & attribute) == 0;
    if (keep || (change.set & attribute) != 0)
      flags |= flag;
  }
  if ((change.clear & kAttrAtimeMask) != 0) {
    flags &= ~static_cast<unsigned long>(MS_NOATIME);
    if ((change.set & kAttrNoAtime) != 0)
      flags |= MS_NOATIME;
    if ((change.set & kAttrStrictAtime) != 0)
      flags |= MS_STRICTATIME;
  }
  if (::mount(nullptr, base::fd_path(mount).c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) != 0) {
    base::throw_errno("cannot set the mount options of " + where);
  }
}

}  // namespace trine::isolation
