#include "image_devices.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/error.h"

namespace trine::runtime::engine {
namespace {

namespace fs = std::filesystem;

/// In /dev of every container already, each with a device of its own behind the name.
constexpr std::array kOwnNames{"/dev/console", "/dev/ptmx", "/dev/tty"};
constexpr std::array kOwnDirectories{"/dev/pts", "/dev/shm", "/dev/mqueue"};

bool is_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
}

/// The node as the host has it, by another name.
oci::Device make_device(const struct stat& status, const std::string& path) {
  return {.type = S_ISBLK(status.st_mode) ? "b" : "c",
          .path = path,
          .major = major(status.st_rdev),
          .minor = minor(status.st_rdev),
          .file_mode = status.st_mode & 0777,
          .uid = status.st_uid,
          .gid = status.st_gid};
}

void allow(const oci::Device& device, const std::string& access, oci::Spec& spec) {
  spec.linux_part.resources.devices.push_back(
      {.allow = true, .type = device.type, .major = device.major, .minor = device.minor, .access = access});
}

/// The devices below a directory, each with its path there. Links are passed over, for their targets are
/// found by themselves, and so is what goes away meanwhile: nodes come and go.
template <typename Take>
void for_each_device(const std::string& directory, Take take) {
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const std::string path = entry->path();
    struct stat status{};
    if (std::ranges::find(kOwnDirectories, path) != kOwnDirectories.end()) {
      entry.disable_recursion_pending();
    } else if (::lstat(path.c_str(), &status) == 0 && is_device(status)) {
      take(path, status);
    }
  }
  if (error)
    throw base::Error("cannot look for devices in " + directory, error.value());
}

void add_device(const DeviceRequest& request, oci::Spec& spec) {
  const auto add = [&](const struct stat& status, const std::string& path) {
    spec.linux_part.devices.push_back(make_device(status, path));
    allow(spec.linux_part.devices.back(), request.access, spec);
  };
  struct stat status{};
  if (::stat(request.host_path.c_str(), &status) != 0)
    base::throw_errno("--device " + request.host_path);
  if (is_device(status))
    return add(status, request.container_path);
  if (!S_ISDIR(status.st_mode)) {
    throw base::Error("--device " + request.host_path + ": it is no device", 0,
                      "files and directories are given by -v");
  }
  bool found = false;
  for_each_device(request.host_path, [&](const std::string& path, const struct stat& node) {
    add(node, request.container_path + path.substr(request.host_path.size()));
    found = true;
  });
  if (!found)
    throw base::Error("--device " + request.host_path + ": there is no device in it");
}

}  // namespace

void add_devices(const RunOptions& options, oci::Spec& spec) {
  for (const auto& request : options.devices)
    add_device(request, spec);
}

void add_host_devices(oci::Spec& spec) {
  for_each_device("/dev", [&](const std::string& path, const struct stat& status) {
    if (std::ranges::find(kOwnNames, path) == kOwnNames.end())
      spec.linux_part.devices.push_back(make_device(status, path));
  });
}

}  // namespace trine::runtime::engine
