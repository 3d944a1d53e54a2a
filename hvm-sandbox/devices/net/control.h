#pragma once

#include <cstdint>
#include <optional>

#include "virtio/queue.h"

/// What a driver asks of a network interface beside its packets. Source: virtio 1.2 §5.1.6.5.
namespace trine::hvm {

constexpr std::uint8_t kControlOk = 0;
constexpr std::uint8_t kControlError = 1;

/// The number of queue pairs that `command` sets (VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET), whatever it is. Nothing:
/// it is another command, or none.
std::optional<unsigned> pairs_set_by(const Chain& command) noexcept;

}  // namespace trine::hvm
