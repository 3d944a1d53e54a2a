#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "steps.h"
#include "user_database.h"

namespace trine::isolation {
namespace {

constexpr std::size_t kMaxDatabase = 4 << 20;

/// A file of the image, which may be a symlink (followed in the root), a FIFO that would block us, a device,
/// or huge (CVE-2024-9676): looked at before it is opened. Empty when it is missing.
std::string read_database(int root, const std::string& path) {
  const base::UniqueFd place = base::try_open_in_root(root, path, O_PATH);
  if (!place) {
    if (errno == ENOENT || errno == ENOTDIR)
      return {};
    base::throw_errno("cannot open " + path + " of the image");
  }
  struct stat status{};
  if (::fstat(place.get(), &status) != 0)
    base::throw_errno("cannot look at " + path + " of the image");
  if (!S_ISREG(status.st_mode))
    throw base::Error("cannot read " + path + " of the image: it is not a file");
  const base::UniqueFd file = base::open_file(base::fd_path(place.get()), O_RDONLY);
  return base::read_all(file.get(), path + " of the image", kMaxDatabase);
}

/// As shells and login do it. A broken /etc/passwd is no reason to refuse a program that named its ids
/// itself.
std::string home_of(int root, uid_t uid) {
  try {
    return resolve_user_text(std::to_string(uid), read_database(root, "/etc/passwd"), "").home;
  } catch (const base::Error&) {
    return "/";
  }
}

bool has_home(const Process& process) {
  return std::ranges::any_of(
      process.env, [](const std::string& entry) { return entry.size() > 5 && entry.starts_with("HOME="); });
}

}  // namespace

void resolve_user(Context& context) {
  const Process& process = context.plan.process;
  context.user = process.user;
  context.home = "/";
  if (!process.resolve_user) {
    if (!has_home(process))
      context.home = home_of(context.root.get(), process.user.uid);
    return;
  }
  const int root = context.root.get();
  auto resolved = resolve_user_text(process.user.name, read_database(root, "/etc/passwd"),
                                    read_database(root, "/etc/group"));
  context.home = resolved.home;
  resolved.user.umask = process.user.umask;
  auto& gids = resolved.user.additional_gids;
  gids.insert(gids.end(), process.user.additional_gids.begin(), process.user.additional_gids.end());
  context.user = std::move(resolved.user);
}

}  // namespace trine::isolation
