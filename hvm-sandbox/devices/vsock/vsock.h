#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>

#include "devices/vsock/connection.h"
#include "loop/event_loop.h"
#include "virtio/device.h"

namespace trine::hvm {

/// Stream sockets between guest and host, without the host's kernel: each connection that the guest opens to
/// the host becomes a socket of the monitor's. The host never dials. Source: virtio 1.2 §5.10.
class Vsock : public Device {
 public:
  static constexpr std::size_t kMostConnections = 256;
  static constexpr std::size_t kMostResets = 256;  ///< of strangers' packets, waiting to be sent

  /// Called for a connection to `port`: the socket that carries it, or none to refuse.
  using Connect = std::function<base::UniqueFd(std::uint32_t port)>;

  /// `loop` outlives the device.
  Vsock(std::uint64_t guest_cid, EventLoop& loop, Connect connect);
  ~Vsock() override;

  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kVsock; }
  [[nodiscard]] std::string name() const override { return "vsock"; }
  [[nodiscard]] unsigned queue_count() const noexcept override { return 3; }
  /// The driver fills the queue for what it receives with a page each.
  [[nodiscard]] std::uint16_t most_entries() const noexcept override { return 128; }
  [[nodiscard]] std::span<const std::byte> config() const noexcept override { return config_; }
  void notify(unsigned queue) noexcept override;
  void reset() noexcept override;

 private:
  using Connections = std::map<VsockPorts, VsockConnection>;

  std::expected<std::uint32_t, QueueError> receive(const Chain& chain) noexcept;
  void open(const VsockPorts& ports, const VsockHeader& header) noexcept;
  /// False: the connection is to be reset.
  [[nodiscard]] bool accept_packet(VsockConnection& connection, const VsockHeader& header,
                                   const Chain& chain) noexcept;
  void socket_event(const VsockPorts& ports, std::uint32_t events) noexcept;
  /// Writes to the socket, and closes what is done; false when the connection is gone.
  bool advance(Connections::iterator connection) noexcept;
  void update_interest(VsockConnection& connection) noexcept;
  void close(Connections::iterator connection, bool tell) noexcept;

  void fill_receive_queue() noexcept;
  /// Puts the next packet for the guest into `chain`: its size, 0 when there is none.
  std::size_t next_packet(const Chain& chain) noexcept;
  std::size_t next_packet_of(const VsockPorts& ports, VsockConnection& connection,
                             const Chain& chain) noexcept;
  std::size_t send_data(const VsockPorts& ports, VsockConnection& connection, const Chain& chain) noexcept;
  std::size_t put(const Chain& chain, const VsockPorts& ports, VsockConnection* connection,
                  VsockOperation operation, std::uint32_t flags = 0, std::uint32_t length = 0) noexcept;
  void owe_reset(const VsockPorts& ports) noexcept;

  std::uint64_t cid_;
  EventLoop& loop_;
  Connect connect_;
  Connections connections_;
  std::deque<VsockPorts> resets_;
  VsockPorts turn_;  ///< the connection after which the next one has its turn
  std::array<std::byte, 8> config_{};
};

}  // namespace trine::hvm
