#pragma once

#include <cstdint>

/// Source: virtio 1.2 §5.10.6.
namespace trine::hvm {

constexpr std::uint64_t kHostCid = 2;
constexpr std::uint16_t kStreamType = 1;

enum class VsockOperation : std::uint16_t {
  kInvalid = 0,
  kRequest = 1,
  kResponse = 2,
  kReset = 3,
  kShutdown = 4,
  kData = 5,
  kCreditUpdate = 6,
  kCreditRequest = 7,
};

constexpr std::uint32_t kShutdownReceive = 1;
constexpr std::uint32_t kShutdownSend = 2;

struct [[gnu::packed]] VsockHeader {
  std::uint64_t source_cid;
  std::uint64_t destination_cid;
  std::uint32_t source_port;
  std::uint32_t destination_port;
  std::uint32_t length;
  std::uint16_t type;
  VsockOperation operation;
  std::uint32_t flags;
  std::uint32_t buffer_size;
  std::uint32_t forwarded;
};
static_assert(sizeof(VsockHeader) == 44);

}  // namespace trine::hvm
