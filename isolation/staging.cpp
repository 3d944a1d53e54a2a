#include "staging.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "bind_source.h"
#include "channel.h"
#include "mount_api.h"
#include "overlay.h"
#include "report.h"

namespace trine::isolation {
namespace {

/// Fewer are copied in less time than the way round them takes.
constexpr std::size_t kManyMounts = 300;

/// listmount(2) of Linux 6.8 counts without describing; before, the table has to be read as text.
bool has_many_mounts() {
  constexpr long kListMount = 458;  // __NR_listmount, the same on every architecture
  struct {
    std::uint32_t size = 24;  // MNT_ID_REQ_SIZE_VER0
    std::uint32_t spare = 0;
    std::uint64_t mount = ~0ULL;  // LSMT_ROOT
    std::uint64_t after = 0;
  } request;
  std::array<std::uint64_t, kManyMounts> ids{};
  const long count = ::syscall(kListMount, &request, ids.data(), ids.size(), 0U);
  if (count >= 0)
    return static_cast<std::size_t>(count) == ids.size();
  const std::string table = base::read_file("/proc/self/mountinfo", 64U << 20);
  return static_cast<std::size_t>(std::ranges::count(table, '\n')) >= kManyMounts;
}

/// File systems without a source, which a path of the host's could name.
bool has_no_source(const Mount& mount) {
  constexpr std::array<std::string_view, 7> kTypes{"proc",   "sysfs",  "tmpfs",  "devpts",
                                                   "mqueue", "cgroup", "cgroup2"};
  return mount.bind || mount.remount || mount.seal_only ||
         std::ranges::find(kTypes, mount.type) != kTypes.end();
}

bool is_possible(const Plan& plan, const StartHooks& hooks) {
  if (plan.staging_directory.empty() || std::holds_alternative<HostRoot>(plan.root.source) ||
      std::holds_alternative<EmptyRoot>(plan.root.source) || hooks.on_environment ||
      !hooks.create_container_hooks.empty() || (plan.root.propagation & MS_SHARED) != 0 ||
      base::in_user_namespace())
    return false;
  bool new_mounts = false;
  for (const auto& entry : plan.namespaces) {
    if (entry.type == CLONE_NEWUSER)
      return false;
    new_mounts |= entry.type == CLONE_NEWNS && entry.path.empty();
  }
  return new_mounts && std::ranges::all_of(plan.mounts, has_no_source);
}

/// Whether the file is a mount namespace of our own user namespace's: one of another could not be copied.
bool is_usable(int fd) {
  struct statfs status{};
  if (::fstatfs(fd, &status) != 0 || status.f_type != NSFS_MAGIC)
    return false;
  const base::UniqueFd owner(::ioctl(fd, NS_GET_USERNS));
  struct stat theirs{};
  struct stat ours{};
  return ::ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNS && owner && ::fstat(owner.get(), &theirs) == 0 &&
         ::stat("/proc/self/ns/user", &ours) == 0 && theirs.st_ino == ours.st_ino;
}

/// In a child with a mount namespace of its own: leaves a tmpfs in it, and no more.
void empty_namespace(const std::string& directory) {
  if (::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) != 0 ||
      ::mount("trine", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=4k") !=
          0 ||
      ::chdir(directory.c_str()) != 0 || ::mkdir("proc", 0700) != 0 || ::mkdir("root", 0700) != 0 ||
      ::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0) {
    base::throw_errno("cannot make a small mount namespace in " + directory);
  }
}

[[noreturn]] void live_in_small_namespace(const std::string& directory, Channel& channel) {
  try {
    empty_namespace(directory);
    channel.send(MessageKind::kReady);
    (void)channel.receive();
  } catch (const base::Error& error) {
    channel.send_failure(to_failure(error));
  }
  ::_exit(0);
}

/// The place must be a private mount: no namespace may hold a mount of itself, which a shared one would pass
/// on to it. Source: mount_namespaces(7).
void make_private_place(const std::string& directory) {
  if (::mount(nullptr, directory.c_str(), nullptr, MS_PRIVATE, nullptr) == 0)
    return;
  if (::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      ::mount(nullptr, directory.c_str(), nullptr, MS_PRIVATE, nullptr) != 0)
    base::throw_errno("cannot make " + directory + " a private mount");
}

/// Keeps the namespace that a child makes, as a mount on `file`. False: the kernel refuses, to keep
/// namespaces from holding each other. Some (6.18) compare numbers that are not in the order of age, so that
/// it depends on the processor whether one can be kept in another than the first.
bool keep_namespace(const std::string& directory, const std::string& file) {
  make_private_place(directory);
  (void)base::open_file(file, O_RDONLY | O_CREAT | O_NOFOLLOW, 0400);
  ChannelPair channel = make_channel();
  base::Process child = base::clone_process({.flags = CLONE_NEWNS});
  if (!child) {
    channel.caller.close();
    live_in_small_namespace(directory, channel.child);
  }
  channel.child.close();
  const auto answer = channel.caller.receive();
  const std::string source = "/proc/" + std::to_string(child.pid()) + "/ns/mnt";
  const bool kept = answer && answer->kind == MessageKind::kReady &&
                    ::mount(source.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0;
  channel.caller.close();
  child.wait();
  if (answer && answer->kind == MessageKind::kError)
    rethrow(answer->failure);
  return kept;
}

/// The kept namespace, made when there is none: after the boot, or because this process is in a mount
/// namespace that was copied before.
base::UniqueFd open_namespace(const std::string& directory) {
  const std::string file = directory + "/namespace";
  base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd && is_usable(fd.get()))
    return fd;
  base::make_directories(directory, 0700);
  const base::UniqueFd lock = base::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (::flock(lock.get(), LOCK_EX) != 0)
    base::throw_errno("cannot lock " + directory);
  fd.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd && is_usable(fd.get()))
    return fd;
  return keep_namespace(directory, file) ? base::open_file(file, O_RDONLY | O_NOFOLLOW) : base::UniqueFd();
}

base::UniqueFd take_root(const Plan& plan) {
  if (const auto* overlay = std::get_if<OverlayRoot>(&plan.root.source))
    return make_overlay(*overlay, false);
  return clone_tree(AT_FDCWD, std::get<DirectoryRoot>(plan.root.source).path, true);
}

}  // namespace

std::optional<Staging> prepare_staging(const Plan& plan, const StartHooks& hooks) {
  if (!is_possible(plan, hooks) || !has_many_mounts())
    return {};
  Staging staging;
  staging.mount_namespace = open_namespace(plan.staging_directory);
  if (!staging.mount_namespace)
    return {};
  staging.root = take_root(plan);
  if (!staging.root || !detach_from_host(staging.root.get(), plan.root, "the root"))
    return {};
  if (const auto* overlay = std::get_if<OverlayRoot>(&plan.root.source))
    seal_single_layer(*overlay, staging.root.get());
  staging.proc = clone_tree(AT_FDCWD, "/proc", false);
  return staging;
}

void enter_staging(const Staging& staging) {
  if (::setns(staging.mount_namespace.get(), CLONE_NEWNS) != 0 || ::unshare(CLONE_NEWNS) != 0)
    base::throw_errno("cannot copy the small mount namespace");
  attach(staging.proc.get(), base::open_file("/proc", O_PATH | O_DIRECTORY).get(), "/proc");
  attach(staging.root.get(), base::open_file("/root", O_PATH | O_DIRECTORY).get(), "the root");
}

}  // namespace trine::isolation
