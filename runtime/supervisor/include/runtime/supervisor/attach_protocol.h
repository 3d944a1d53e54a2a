#pragma once

#include <cstddef>
#include <cstdint>

/// What is said on the socket of a supervised instance, a message each packet (SOCK_SEQPACKET): its first
/// byte is the kind.
namespace trine::runtime::supervisor {

/// The socket, in an instance's directory in `<run>`.
constexpr const char* kAttachSocket = "attach";

enum class Message : std::uint8_t {
  kOutput = 'o',    ///< to the client: bytes of the standard output, or of the terminal
  kErrors = 'e',    ///< to the client: bytes of the standard error
  kExit = 'x',      ///< to the client: the exit code, one byte; nothing follows
  kInput = 'i',     ///< to the supervisor: bytes for the standard input
  kInputEnd = 'c',  ///< to the supervisor: there are no more
  kResize = 'w',    ///< to the supervisor: WindowSize, of the client's terminal
};

/// As it stands behind the kind, in the machine's byte order.
struct WindowSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};

/// Of a message, its kind with it.
constexpr std::size_t kMostBytes = 32768;

}  // namespace trine::runtime::supervisor
