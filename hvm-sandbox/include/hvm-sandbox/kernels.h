#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Guest kernels as they are kept: `<root>/NAME/` holds `vmlinux`, an ELF with a PVH note, and
/// `modules.cpio`, the drivers that the guest loads first. `<root>/default` is a symbolic link to the one
/// that is used.
namespace trine::hvm {

constexpr const char* kKernelFile = "vmlinux";
constexpr const char* kModulesFile = "modules.cpio";
/// How a guest names the device that is a mapped disk (virtio 1.2 §5.19), as the folder of its drivers.
constexpr const char* kMappedDiskDevice = "0x001b";
/// An empty file: the guest has drivers for mapped disks.
constexpr const char* kMapsDisksFile = "maps-disks";

struct Kernel {
  std::string name;       ///< "6.1.0-56-cloud-amd64"
  std::string directory;  ///< absolute
  bool is_default = false;
  bool has_modules = false;  ///< false: all drivers are built in
  std::uint64_t bytes = 0;   ///< on the disk, with its modules
};

/// By name. None when there is no such directory.
std::vector<Kernel> list_kernels(const std::string& root);

/// The default one, or the one with this name. Throws base::Error with the cure when there is none.
Kernel find_kernel(const std::string& root, const std::string& name = {});

/// Makes a kernel the default. Throws base::Error when there is none of this name.
void use_kernel(const std::string& root, const std::string& name);

/// Takes a kernel away. A machine that runs goes on: its kernel is in its memory. Throws base::Error when
/// there is none of this name, or when it is the default and not the last.
void remove_kernel(const std::string& root, const std::string& name);

}  // namespace trine::hvm
