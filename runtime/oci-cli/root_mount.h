#pragma once

#include <cstdint>
#include <string>

/// A container that shares the host's mount namespace has its mounts there, all of them on one that covers
/// its rootfs.
namespace trine::runtime::oci_cli {

struct RootMount {
  std::string path;         ///< of the rootfs, without symlinks
  std::uint64_t below = 0;  ///< the number of the mount that the rootfs is on without the container
};

/// To be recorded before the container is made. Throws Error.
RootMount root_mount(const std::string& rootfs);

/// Takes the container's mounts away, those that a killed `create` has left too; none is no error. Throws
/// Error.
void unmount(const RootMount& root);

}  // namespace trine::runtime::oci_cli
