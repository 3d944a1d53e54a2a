#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "boot/bzimage.h"
#include "hvm-sandbox/cpio.h"
#include "hvm-sandbox/kernels.h"
#include "kernel/built_in.h"
#include "kernel/modules.h"

/// Packs a kernel for guests: unpacks it on the host, once, and puts the drivers of trine's devices into an
/// archive in the order in which they load. A kernel that is one file has them built in.
namespace {

namespace base = trine::base;
namespace hvm = trine::hvm;

constexpr const char* kUsage = "trine kernel import PACKAGE.deb|KERNEL|DIRECTORY";

/// The drivers of what a machine has, and the file systems of its disks. virtio_mmio is first: the devices
/// that it finds are served as soon as their drivers come.
const std::vector<std::string> kWanted{
    "virtio_mmio",    "virtio_blk", "virtio_rng", "virtio_console", "vmw_vsock_virtio_transport",
    "crc32c_generic", "erofs",      "overlay",
};

/// The drivers of devices that only some machines have, by the number that the device says it is (virtio 1.2
/// §5). A guest without the device does not load them.
struct OptionalDriver {
  const char* device;
  std::vector<std::string> modules;
};
const std::vector<OptionalDriver> kOptional{
    {"0x0001", {"virtio_net"}},
    {"0x0005", {"virtio_balloon"}},
    {"0x001a", {"virtiofs"}},
    {hvm::kMappedDiskDevice, {"virtio_pmem", "nd_pmem"}},
};

/// The same for a kernel that tells by its configuration what is built in, and how it is entered.
constexpr std::array<std::string_view, 14> kWantedOptions{
    "PVH",        "ACPI",           "BLK_DEV_INITRD", "DEVTMPFS",        "VIRTIO_MMIO",
    "VIRTIO_BLK", "CGROUPS",        "VIRTIO_CONSOLE", "VIRTIO_VSOCKETS", "HW_RANDOM_VIRTIO",
    "EROFS_FS",   "EROFS_FS_XATTR", "OVERLAY_FS",     "TMPFS",
};

/// A directory that goes away unless it is kept.
class Temporary {
 public:
  explicit Temporary(const std::string& parent)
      : parent_(base::open_file(parent, O_RDONLY | O_DIRECTORY)),
        name_(".import." + base::random_hex(8)),
        path_(parent + "/" + name_) {
    base::make_directories(path_, 0755);
  }
  ~Temporary() {
    try {
      base::remove_tree(parent_.get(), name_);
    } catch (const base::Error& error) {
      base::print_warning(error.what());
    }
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  base::UniqueFd parent_;
  std::string name_;
  std::string path_;
};

void unpack_package(const std::string& package, const std::string& directory) {
  const auto result = base::run_program("dpkg-deb", {"--extract", package, directory});
  if (result.status.code != 0) {
    throw base::Error("cannot unpack " + package + ": " + std::string(base::trim(result.output)), 0,
                      "it should be a Debian package of a kernel");
  }
}

/// The one entry of a directory that begins with `prefix`.
std::string only_entry(const std::string& directory, const std::string& prefix) {
  std::string found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix))
      continue;
    if (!found.empty())
      throw base::Error("there is more than one kernel in " + directory + ": " + found + " and " + name);
    found = name;
  }
  if (found.empty())
    throw base::Error("there is no kernel in " + directory, 0, kUsage);
  return found;
}

void write_file(const std::string& path, std::string_view content) {
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  base::write_all(file.get(), content, path);
  if (::fsync(file.get()) != 0)
    base::throw_errno("cannot write " + path);
}

/// A kernel has megabytes of zeros between its parts. As holes of the file they are not read at a start.
void write_with_holes(const std::string& path, std::span<const std::byte> content) {
  constexpr std::size_t kPiece = 64 << 10;
  const base::UniqueFd file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (::ftruncate(file.get(), static_cast<off_t>(content.size())) != 0)
    base::throw_errno("cannot write " + path);
  for (std::size_t at = 0; at < content.size(); at += kPiece) {
    const auto piece = content.subspan(at, std::min(kPiece, content.size() - at));
    if (std::ranges::all_of(piece, [](std::byte byte) { return byte == std::byte{0}; }))
      continue;
    if (::lseek(file.get(), static_cast<off_t>(at), SEEK_SET) < 0)
      base::throw_errno("cannot write " + path);
    base::write_all(file.get(), {reinterpret_cast<const char*>(piece.data()), piece.size()}, path);
  }
  if (::fsync(file.get()) != 0)
    base::throw_errno("cannot write " + path);
}

void add_modules(hvm::CpioWriter& archive, const std::string& place, const std::vector<std::string>& files) {
  archive.add_directory(place);
  unsigned number = 100;
  for (const std::string& file : files) {
    // The archive is the host's, as the kernel is: whoever could change one could change the other.
    const std::string module = base::read_file(file, 32 << 20);
    archive.add_file(place + "/" + std::to_string(number++) + "-" + hvm::module_name(file) + ".ko",
                     hvm::without_signature(module), 0644);
  }
}

/// Drivers, and whether that of mapped disks is one of them.
struct Modules {
  std::string archive;
  bool map_disks = false;
};

Modules pack_modules(const std::string& directory) {
  hvm::CpioWriter archive;
  bool map_disks = false;
  const std::vector<std::string> always = hvm::modules_in_order(directory, kWanted);
  add_modules(archive, "modules", always);
  for (const OptionalDriver& driver : kOptional) {
    const auto is_there = [&](const std::string& module) { return hvm::has_module(directory, module); };
    if (!std::ranges::all_of(driver.modules, is_there))
      continue;
    map_disks |= driver.device == std::string_view(hvm::kMappedDiskDevice);
    std::vector<std::string> files = hvm::modules_in_order(directory, driver.modules);
    std::erase_if(files,
                  [&](const std::string& file) { return std::ranges::find(always, file) != always.end(); });
    add_modules(archive, std::string("modules/device-") + driver.device, files);
  }
  return {.archive = std::move(archive).finish(), .map_disks = map_disks};
}

using Bytes = std::vector<std::byte>;

Bytes unpacked(const std::string& image) {
  const std::string packed = base::read_file(image, hvm::kMostKernelBytes);
  auto kernel = hvm::unpack_kernel(std::as_bytes(std::span(packed)));
  if (!kernel)
    throw base::Error("cannot unpack the kernel " + image + ": " + kernel.error());
  return std::move(*kernel);
}

struct Parts {
  std::string release;
  Bytes kernel;
  Modules modules;
};

/// A tree as packages have it.
Parts take_tree(const std::string& tree) {
  const std::string image = tree + "/boot/" + only_entry(tree + "/boot", "vmlinuz-");
  std::string release = only_entry(tree + "/lib/modules", "");
  Modules modules = pack_modules(tree + "/lib/modules/" + release);
  return {.release = std::move(release), .kernel = unpacked(image), .modules = std::move(modules)};
}

/// A kernel alone, which must have everything built in. It says so itself.
Parts take_file(const std::string& image) {
  Bytes kernel = unpacked(image);
  const auto release = hvm::kernel_release(kernel);
  if (!release)
    throw base::Error(image + " is no kernel of Linux: " + release.error());
  const auto config = hvm::embedded_config(kernel);
  if (!config) {
    throw base::Error("cannot tell what is built into " + image + ": " + config.error(), 0,
                      "give its package, or a directory with its boot/ and lib/modules/");
  }
  std::string missing;
  for (const std::string& option : hvm::not_built_in(*config, kWantedOptions))
    missing += " CONFIG_" + option;
  if (!missing.empty()) {
    throw base::Error(image + " has not built in what a guest needs:" + missing, 0,
                      "hvm-sandbox/kernel/build-minimal.sh builds one that has");
  }
  return {
      .release = *release, .kernel = std::move(kernel), .modules = {.archive = hvm::CpioWriter{}.finish()}};
}

bool is_package(const std::string& file) {
  constexpr std::string_view kMagic = "!<arch>\n";
  std::array<char, kMagic.size()> begin{};
  const base::UniqueFd fd = base::open_file(file, O_RDONLY);
  const ssize_t got = ::read(fd.get(), begin.data(), begin.size());
  return got == static_cast<ssize_t>(begin.size()) && std::string_view(begin.data(), begin.size()) == kMagic;
}

Parts take(const std::string& source, const Temporary& temporary) {
  if (std::filesystem::is_directory(source))
    return take_tree(source);
  if (!is_package(source))
    return take_file(source);
  const std::string tree = temporary.path() + "/package";
  base::make_directories(tree);
  unpack_package(source, tree);
  return take_tree(tree);
}

void pack(const std::string& source, const std::string& root) {
  base::make_directories(root);
  const Temporary temporary(root);
  const Parts parts = take(source, temporary);
  const std::string made = temporary.path() + "/made";
  base::make_directories(made);
  write_with_holes(made + "/" + hvm::kKernelFile, parts.kernel);
  write_file(made + "/" + hvm::kModulesFile, parts.modules.archive);
  if (parts.modules.map_disks)
    write_file(made + "/" + hvm::kMapsDisksFile, "");
  // One that is replaced goes to where the temporary directory takes it away.
  const std::string place = root + "/" + parts.release;
  if (::rename(place.c_str(), (temporary.path() + "/replaced").c_str()) != 0 && errno != ENOENT)
    base::throw_errno("cannot replace " + place);
  if (::rename(made.c_str(), place.c_str()) != 0)
    base::throw_errno("cannot make " + place);
  hvm::use_kernel(root, parts.release);
  ::puts(parts.release.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  base::set_program_name("trine");
  try {
    if (count != 3)
      throw base::Error("trine-kernel takes the kernel and where it goes", 0, kUsage);
    pack(arguments[1], arguments[2]);
    return 0;
  } catch (const base::Error& error) {
    base::print_error(error);
  } catch (const std::exception& error) {
    base::print_error(error.what());
  }
  return 125;
}
