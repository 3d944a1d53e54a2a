#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "devices/net/net.h"
#include "devices/rate/throttle.h"

namespace trine::hvm {

struct Disk {
  base::UniqueFd file;
  bool read_only = false;
  bool mapped = false;  ///< /dev/pmem0, …: in the guest's address space. Read-only
};

/// A directory or file of the host that the guest mounts by its tag.
struct Share {
  base::UniqueFd source;  ///< O_PATH will do
  std::string tag;
  bool read_only = false;
};

/// A network interface.
struct Nic {
  std::vector<base::UniqueFd> taps;  ///< the queues of one: see prepare_tap()
  NetOptions options;
};

/// A machine to be, decided whole: nothing in here comes from an image.
struct MachinePlan {
  base::UniqueFd kvm;                     ///< /dev/kvm; -1: it is opened
  base::UniqueFd kernel;                  ///< an uncompressed ELF with a PVH note
  std::vector<base::UniqueFd> initramfs;  ///< cpio archives, which follow one another in memory
  std::string command_line;
  std::uint64_t memory_bytes = 256ULL << 20U;
  bool merge_pages = false;  ///< with those of other machines that are the same
  bool small_pages = false;  ///< no huge ones
  unsigned cpus = 1;
  std::vector<Disk> disks;  ///< /dev/vda, /dev/vdb, … in this order, or mapped
  RateLimits disk_limits;   ///< of each
  std::vector<Nic> nics;
  /// A seqpacket socket: each connection of the guest to a port of the host is sent over it, as a stream
  /// socket with the port's number in decimal. -1: no vsock.
  base::UniqueFd connections;
  std::vector<Share> shares;
  base::UniqueFd proc;     ///< /proc, with shares; -1: as it is in the root
  base::UniqueFd console;  ///< gets all that the guest's consoles say; -1: only the end is kept
};

constexpr std::uint64_t kGuestCid = 3;
constexpr std::uint64_t kLeastMemory = 16ULL << 20U;

/// Reads the command line of trine-vmm. Throws base::Error with the flag.
MachinePlan parse_plan(int count, char** arguments);

}  // namespace trine::hvm
