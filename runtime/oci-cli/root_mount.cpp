#include "root_mount.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"

namespace trine::runtime::oci_cli {
namespace {

std::uint64_t mount_of(const base::UniqueFd& directory, const std::string& path) {
  struct statx status{};
  if (::statx(directory.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0)
    base::throw_errno("cannot look at " + path);
  if ((status.stx_mask & STATX_MNT_ID) == 0)
    throw base::Error("cannot tell the mounts at " + path + " apart", ENOSYS, "it takes Linux 5.8");
  return status.stx_mnt_id;
}

/// As mountinfo writes it: some bytes as three octal digits.
std::string escape(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\')
      text += {'\\', static_cast<char>('0' + c / 64), static_cast<char>('0' + c / 8 % 8),
               static_cast<char>('0' + c % 8)};
    else
      text += c;
  }
  return text;
}

/// The mount on `path` whose parent is `below`. The path alone would not tell it: whoever may write to the
/// bundle could have made a link of it meanwhile. Source: proc(5), /proc/PID/mountinfo.
std::optional<std::uint64_t> find_mount(const std::string& path, std::uint64_t below) {
  const std::string table = base::read_file("/proc/self/mountinfo", 64U << 20);
  for (const auto& line : base::split(table, '\n', base::SplitEmpty::kSkip)) {
    const auto fields = base::split(line, ' ');
    if (fields.size() > 4 && base::parse_unsigned(fields[1]) == below && fields[4] == escape(path))
      return base::parse_unsigned(fields[0]);
  }
  return std::nullopt;
}

}  // namespace

RootMount root_mount(const std::string& rootfs) {
  std::string path = std::filesystem::canonical(rootfs);
  const base::UniqueFd directory = base::open_file(path, O_PATH | O_DIRECTORY);
  const std::uint64_t below = mount_of(directory, path);
  return {.path = std::move(path), .below = below};
}

void unmount(const RootMount& root) {
  const auto mount = find_mount(root.path, root.below);
  if (!mount)
    return;
  const base::UniqueFd directory = base::open_file(root.path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (mount_of(directory, root.path) != *mount)
    throw base::Error("cannot unmount " + root.path + ": something else is mounted there", EBUSY,
                      "unmount that first");
  if (::umount2(base::fd_path(directory.get()).c_str(), MNT_DETACH) != 0)
    base::throw_errno("cannot unmount " + root.path);
}

}  // namespace trine::runtime::oci_cli
