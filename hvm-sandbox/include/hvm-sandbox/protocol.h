#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hvm-sandbox/wire.h"

/// What the host and the agent in the guest say to each other: docs/guest-protocol.md.
namespace trine::hvm {

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::uint32_t kControlPort = 1024;  ///< frames
constexpr std::uint32_t kStreamPort = 1025;   ///< a StreamHello, then bytes

constexpr std::size_t kFrameHeader = 16;
constexpr std::size_t kMostFrameBytes = 1 << 20;

constexpr std::size_t kLeastSeed = 32;
constexpr std::size_t kMostSeed = 512;

enum class FrameType : std::uint16_t {
  kReady = 1,     ///< guest: Ready
  kStart = 2,     ///< host: StartRequest
  kStarted = 3,   ///< guest: empty
  kFailed = 4,    ///< guest: Failure
  kSignal = 5,    ///< host: std::uint32_t, the signal's number
  kResize = 6,    ///< host: TerminalSize
  kExit = 7,      ///< guest: Exit
  kShutdown = 8,  ///< host: empty; the guest powers off
  kExec = 9,      ///< host: ExecRequest; answered like kStart
  kStats = 10,    ///< host: empty; answered by kFigures or kFailed
  kFigures = 11,  ///< guest: Figures
  kNet = 16,      ///< host, before kStart: the network, in the launcher's own form; answered only by kFailed
  kSetTime = 18,  ///< host: std::uint64_t, nanoseconds since 1970
  kReseed = 19,   ///< host: text, randomness for the guest's kernel: kLeastSeed to kMostSeed bytes
  // Between an instance's trine and other commands on the same host, never to a guest.
  kPause = 20,    ///< empty: the machine stands still; answered by kTaken or kFailed
  kResume = 21,   ///< empty: it goes on; answered alike
  kBalloon = 22,  ///< std::uint64_t, bytes that the guest is to give back; answered alike
  kStream = 32,   ///< StreamHello, with a descriptor: a stream of the caller's process
  kTaken = 33,    ///< empty: a signal for the first process was passed on
};

struct Frame {
  FrameType type{};
  std::uint64_t request = 0;  ///< names the process that it is about, or the question
  std::string payload;
};

struct Ready {
  std::uint32_t version = kProtocolVersion;
};

/// A file system that the machine has by this tag.
struct GuestShare {
  std::string tag;
  bool read_only = false;
};

struct StartRequest {
  std::uint32_t layers = 0;    ///< disks that hold the image's layers, topmost first: /dev/vda and on
  bool mapped_layers = false;  ///< or /dev/pmem0 and on
  std::vector<std::pair<std::string, std::string>> files;  ///< name and content, made in kFilesDirectory
  std::vector<GuestShare> shares;                          ///< mounted in kSharesDirectory, by their tags
  bool terminal = false;
  bool input = false;  ///< the process' standard input comes over a stream; else it is empty
  std::string plan;    ///< what to run, in the launcher's own form
};

/// A process beside the one of StartRequest.
struct ExecRequest {
  bool terminal = false;
  bool input = false;
  bool detached = false;  ///< it has no streams: nobody stays to hear it
  std::string process;    ///< what to run, in the launcher's own form
};

/// Where the guest keeps StartRequest::files, for the plan to mount them from.
constexpr const char* kFilesDirectory = "/run/trine/files";

/// Where the guest mounts StartRequest::shares.
constexpr const char* kSharesDirectory = "/run/trine/shares";
/// Behind that and a tag: where the share of a single file has it.
constexpr const char* kSingleShare = "/file";

struct Failure {
  std::string message;
  std::string hint;
  std::int32_t errno_value = 0;
  std::uint32_t exit_code = 125;
};

struct TerminalSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};

struct Exit {
  std::uint32_t code = 0;
  bool oom_killed = false;
};

/// What the first process and all beside it use, as their cgroup has it. Unset: the guest's kernel does not
/// count it.
struct Figures {
  std::optional<std::uint64_t> cpu_microseconds;  ///< since the first process was started
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint64_t> processes;
};

enum class StreamKind : std::uint32_t { kInput = 0, kOutput = 1, kError = 2, kTerminal = 3 };

struct StreamHello {
  std::uint64_t request = 0;
  StreamKind kind{};
  std::uint32_t reserved = 0;
};
constexpr std::size_t kStreamHelloBytes = 16;

std::string encode_frame(const Frame& frame);

/// Cuts frames out of a stream of bytes, however they arrive.
class FrameReader {
 public:
  /// Takes in what was received.
  void append(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole frame. Nothing: more is needed, or broken().
  std::optional<Frame> next();
  /// The other side sent what can be no frame: nothing more will come.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  std::string buffer_;
  bool broken_ = false;
};

namespace wire {
template <>
struct Fields<Ready> {
  static auto of(auto& value) {
    auto& [version] = value;
    return std::tie(version);
  }
};
template <>
struct Fields<GuestShare> {
  static auto of(auto& value) {
    auto& [tag, read_only] = value;
    return std::tie(tag, read_only);
  }
};
template <>
struct Fields<StartRequest> {
  static auto of(auto& value) {
    auto& [layers, mapped_layers, files, shares, terminal, input, plan] = value;
    return std::tie(layers, mapped_layers, files, shares, terminal, input, plan);
  }
};
template <>
struct Fields<ExecRequest> {
  static auto of(auto& value) {
    auto& [terminal, input, detached, process] = value;
    return std::tie(terminal, input, detached, process);
  }
};
template <>
struct Fields<Failure> {
  static auto of(auto& value) {
    auto& [message, hint, errno_value, exit_code] = value;
    return std::tie(message, hint, errno_value, exit_code);
  }
};
template <>
struct Fields<TerminalSize> {
  static auto of(auto& value) {
    auto& [rows, columns] = value;
    return std::tie(rows, columns);
  }
};
template <>
struct Fields<Exit> {
  static auto of(auto& value) {
    auto& [code, oom_killed] = value;
    return std::tie(code, oom_killed);
  }
};
template <>
struct Fields<Figures> {
  static auto of(auto& value) {
    auto& [cpu_microseconds, memory_bytes, processes] = value;
    return std::tie(cpu_microseconds, memory_bytes, processes);
  }
};
template <>
struct Fields<StreamHello> {
  static auto of(auto& value) {
    auto& [request, kind, reserved] = value;
    return std::tie(request, kind, reserved);
  }
};
}  // namespace wire

}  // namespace trine::hvm
