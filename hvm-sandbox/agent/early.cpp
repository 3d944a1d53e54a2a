#include "agent/early.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace trine::hvm {
namespace {

struct FileSystem {
  const char* type;
  const char* directory;
  unsigned long flags;
  const char* options;
};

constexpr unsigned long kClosed = MS_NOSUID | MS_NOEXEC | MS_NODEV;
constexpr const char* kNewRoot = "/root";

constexpr std::array kFileSystems{
    FileSystem{"devtmpfs", "/root/dev", MS_NOSUID, "mode=755"},
    FileSystem{"proc", "/root/proc", kClosed, ""},
    FileSystem{"sysfs", "/root/sys", kClosed, ""},
    FileSystem{"cgroup2", "/root/sys/fs/cgroup", kClosed, "nsdelegate"},
    FileSystem{"tmpfs", "/root/run", MS_NOSUID | MS_NODEV, "mode=755"},
};

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    base::throw_errno("cannot make " + path);
}

void mount_or_throw(const FileSystem& what) {
  if (::mount(what.type, what.directory, what.type, what.flags, what.options) != 0)
    base::throw_errno(std::string("cannot mount ") + what.type + " on " + what.directory);
}

/// In the order of their names, which is the order in which they need one another.
void load_modules(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.is_regular_file())
      files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  for (const std::string& file : files) {
    const base::UniqueFd fd = base::open_file(file, O_RDONLY);
    if (::syscall(SYS_finit_module, fd.get(), "", 0) != 0 && errno != EEXIST)
      base::print_warning("cannot load " + file + ": " + base::errno_text(errno));
  }
}

/// Those that every machine needs, then those of the devices that this one has.
void load_drivers() {
  constexpr const char* kModules = "/modules";
  load_modules(kModules);
  std::error_code error;
  const std::string devices = std::string(kNewRoot) + "/sys/bus/virtio/devices";
  std::set<std::string> numbers;  // there are several of a kind
  for (const auto& entry : std::filesystem::directory_iterator(devices, error))
    numbers.emplace(base::trim(base::read_file(entry.path().string() + "/device", 16)));
  for (const std::string& number : numbers)
    load_modules(std::string(kModules) + "/device-" + number);
  std::filesystem::remove_all(kModules, error);  // their memory is the guest's
}

/// /dev/kmsg: what the agent has to say stands in the kernel's log, and so on every console.
void log_to_kernel() {
  const base::UniqueFd log = base::open_file("/dev/kmsg", O_WRONLY);
  const base::UniqueFd null = base::open_file("/dev/null", O_RDONLY);
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::dup2(log.get(), STDERR_FILENO);
}

/// An initramfs cannot be pivoted away from, as a container's start does: a tmpfs takes its place.
void leave_initramfs() {
  if (::chdir(kNewRoot) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
      ::chdir("/") != 0)
    base::throw_errno("cannot leave the initramfs");
}

void delegate_controllers() {
  const std::string root = "/sys/fs/cgroup";
  for (const char* name : {"cpuset", "cpu", "io", "memory", "hugetlb", "pids"}) {
    // One by one: the kernel refuses all for one that it lacks.
    const base::UniqueFd file = base::open_file(root + "/cgroup.subtree_control", O_WRONLY);
    const std::string word = std::string("+") + name;
    (void)!::write(file.get(), word.data(), word.size());
  }
}

}  // namespace

void set_up_guest() {
  make_directory(kNewRoot);
  mount_or_throw({"tmpfs", kNewRoot, MS_NOSUID | MS_NODEV, "mode=755"});
  for (const char* name : {"dev", "proc", "sys", "run", "tmp", "etc"})
    make_directory(std::string(kNewRoot) + "/" + name);
  for (const FileSystem& what : kFileSystems)
    mount_or_throw(what);
  load_drivers();
  ::unlink("/init");
  leave_initramfs();
  log_to_kernel();
  base::set_program_name("trine-agent");
  for (const FileSystem& what :
       {FileSystem{"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "ptmxmode=666,mode=620"},
        FileSystem{"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"}}) {
    make_directory(what.directory);
    mount_or_throw(what);
  }
  delegate_controllers();
}

void power_off() {
  ::sync();
  ::reboot(RB_POWER_OFF);
  // Only a kernel without ACPI comes here, and PID 1 must not end: that would be a panic.
  while (true)
    ::pause();
}

}  // namespace trine::hvm
