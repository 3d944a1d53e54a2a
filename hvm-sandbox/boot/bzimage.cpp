#include "boot/bzimage.h"

#include <cstdint>
#include <cstring>

#include "boot/decompress.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kSetupSectors = 0x1f1;
constexpr std::size_t kMagic = 0x202;
constexpr std::size_t kVersion = 0x206;
constexpr std::size_t kPayloadOffset = 0x248;
constexpr std::size_t kPayloadLength = 0x24c;
constexpr std::size_t kHeaderEnd = 0x250;
constexpr std::uint32_t kMagicValue = 0x53726448;  // "HdrS"
constexpr std::uint16_t kWithPayload = 0x208;
constexpr std::size_t kSector = 512;
constexpr std::size_t kSizeBytes = 4;

template <class T>
T load(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool is_elf(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "\177ELF", 4) == 0;
}

}  // namespace

std::expected<std::vector<std::byte>, std::string> unpack_kernel(std::span<const std::byte> image) {
  if (is_elf(image))
    return std::vector<std::byte>(image.begin(), image.end());
  if (image.size() < kHeaderEnd || load<std::uint32_t>(image, kMagic) != kMagicValue)
    return std::unexpected("it is neither a bzImage nor an ELF file");
  if (load<std::uint16_t>(image, kVersion) < kWithPayload)
    return std::unexpected("it is of a kernel older than Linux 2.6.26");
  const std::size_t setup = load<std::uint8_t>(image, kSetupSectors);
  // A 0 stands for 4, from the time of floppy disks.
  const std::size_t begin =
      (((setup == 0 ? 4 : setup) + 1) * kSector) + load<std::uint32_t>(image, kPayloadOffset);
  const std::size_t length = load<std::uint32_t>(image, kPayloadLength);
  if (begin > image.size() || length > image.size() - begin || length <= kSizeBytes)
    return std::unexpected("it is cut short");
  const auto payload = image.subspan(begin, length);
  // The build puts the unpacked size behind the stream; gzip ends with it anyway.
  const std::size_t size = load<std::uint32_t>(payload, length - kSizeBytes);
  if (size > kMostKernelBytes)
    return std::unexpected("it says that it unpacks to " + std::to_string(size >> 20U) + " MiB");
  auto kernel = decompress(payload, size);
  if (kernel && !is_elf(*kernel))
    return std::unexpected("what it unpacks to is no ELF file");
  return kernel;
}

}  // namespace trine::hvm
