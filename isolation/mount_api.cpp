#include "mount_api.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace trine::isolation {
namespace {

// glibc 2.36 has wrappers, but its <sys/mount.h> and <linux/mount.h> exclude each other.
int sys_fsopen(const char* type) {
  return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}
int sys_fsconfig(int fd, unsigned command, const char* key, const char* value) {
  return static_cast<int>(::syscall(SYS_fsconfig, fd, command, key, value, 0));
}

/// The kernel's own words about a refused option, read from the context ("e tmpfs: Unknown parameter 'x'").
std::string kernel_message(int fd) {
  std::array<char, 256> text{};
  const ssize_t got = ::read(fd, text.data(), text.size() - 1);
  if (got <= 2)
    return {};
  std::string message(text.data() + 2, static_cast<std::size_t>(got) - 2);
  return std::string(base::trim(message));
}

}  // namespace

FilesystemContext::FilesystemContext(const std::string& type) : type_(type), fd_(sys_fsopen(type.c_str())) {
  if (fd_)
    return;
  if (errno == ENODEV) {
    throw base::Error("cannot mount " + type + ": this kernel has no such file system", 0,
                      "modprobe " + type + ", or a kernel that is built with it");
  }
  base::throw_errno("cannot mount " + type);
}

FilesystemContext::FilesystemContext(int mount, const std::string& where)
    : type_("again on " + where),
      fd_(static_cast<int>(::syscall(SYS_fspick, mount, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC))) {
  if (!fd_)
    base::throw_errno("cannot remount " + where);
}

void FilesystemContext::reconfigure() const {
  if (sys_fsconfig(fd_.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr) != 0)
    fail("");
}

void FilesystemContext::fail(const std::string& what) const {
  const int saved = errno;
  const std::string said = kernel_message(fd_.get());
  throw base::Error("cannot mount " + type_ + what + (said.empty() ? "" : " (" + said + ")"), saved);
}

void FilesystemContext::set(const std::string& key, const std::string& value) const {
  if (sys_fsconfig(fd_.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str()) != 0) {
    fail(" with " + key + "=" + value);
  }
}

void FilesystemContext::set_flag(const std::string& key) const {
  if (sys_fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr) != 0)
    fail(" with " + key);
}

void FilesystemContext::set_all(std::string_view options) const {
  for (const auto& option : base::split(options, ',', base::SplitEmpty::kSkip)) {
    const auto equals = option.find('=');
    if (equals == std::string::npos) {
      set_flag(option);
    } else {
      set(option.substr(0, equals), option.substr(equals + 1));
    }
  }
}

bool FilesystemContext::only_collects() const {
  // Such a context knows no value but text; others say EINVAL of a key that there is not (fs/fsopen.c).
  return ::syscall(SYS_fsconfig, fd_.get(), FSCONFIG_SET_FD, "trine", nullptr, 0) != 0 && errno == EOPNOTSUPP;
}

base::UniqueFd FilesystemContext::mount(std::uint64_t attributes) const {
  if (sys_fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) != 0)
    fail("");
  base::UniqueFd mount(static_cast<int>(
      ::syscall(SYS_fsmount, fd_.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes))));
  if (!mount)
    fail("");
  return mount;
}

base::UniqueFd clone_tree(int directory, const std::string& path, bool recursive) {
  const unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  base::UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, directory, path.c_str(), flags)));
  if (!tree)
    base::throw_errno("cannot take a bind mount of " + (path.empty() ? "a directory" : path));
  return tree;
}

void attach(int mount, int target, const std::string& where) {
  if (::syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) !=
      0) {
    base::throw_errno("cannot mount on " + where);
  }
}

void change_attributes(int mount, const AttributeChange& change, const std::string& where) {
  if (change.set == 0 && change.clear == 0 && change.propagation == 0)
    return;
  mount_attr attributes{};
  attributes.attr_set = change.set;
  attributes.attr_clr = change.clear;
  attributes.propagation = change.propagation;
  const unsigned flags = AT_EMPTY_PATH | (change.recursive ? AT_RECURSIVE : 0U);
  if (::syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes) == 0)
    return;
  if (errno != ENOSYS || change.propagation != 0)
    base::throw_errno("cannot set the mount options of " + where);
  change_attributes_legacy(mount, change, where);
}

}  // namespace trine::isolation
