#include "devices/vsock/vsock.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace trine::hvm {
namespace {

constexpr unsigned kReceive = 0;
constexpr unsigned kTransmit = 1;

/// The most that one packet for the guest carries: Linux' buffers have this size.
constexpr std::uint32_t kMostData = 64 << 10;

}  // namespace

Vsock::Vsock(std::uint64_t guest_cid, EventLoop& loop, Connect connect)
    : cid_(guest_cid), loop_(loop), connect_(std::move(connect)) {
  std::memcpy(config_.data(), &cid_, sizeof cid_);
}

Vsock::~Vsock() {
  Vsock::reset();
}

void Vsock::reset() noexcept {
  while (!connections_.empty())
    close(connections_.begin(), false);
  resets_.clear();
}

void Vsock::notify(unsigned index) noexcept {
  if (index == kTransmit)
    serve_all(index, [this](const Chain& packet) { return receive(packet); });
  if (index == kTransmit || index == kReceive)
    fill_receive_queue();
}

// From the guest.

std::expected<std::uint32_t, QueueError> Vsock::receive(const Chain& packet) noexcept {
  VsockHeader header{};
  if (packet.read(0, std::as_writable_bytes(std::span(&header, 1))) != sizeof header ||
      header.length > packet.readable_bytes - sizeof header)
    return std::unexpected(QueueError::kRequest);
  if (header.source_cid != cid_ || header.destination_cid != kHostCid)
    return 0;  // for nobody: as a network does, drop it
  const VsockPorts ports{.guest = header.source_port, .host = header.destination_port};
  const auto found = connections_.find(ports);
  if (header.type != kStreamType) {
    owe_reset(ports);
  } else if (found == connections_.end()) {
    if (header.operation == VsockOperation::kRequest)
      open(ports, header);
    else if (header.operation != VsockOperation::kReset)
      owe_reset(ports);
  } else if (header.operation == VsockOperation::kReset) {
    close(found, false);
  } else if (!accept_packet(found->second, header, packet)) {
    close(found, true);
  } else {
    advance(found);
  }
  return 0;
}

void Vsock::open(const VsockPorts& ports, const VsockHeader& header) noexcept {
  base::UniqueFd socket = connections_.size() < kMostConnections ? connect_(ports.host) : base::UniqueFd();
  if (!socket) {
    owe_reset(ports);
    return;
  }
  const int fd = socket.get();
  const auto [place, added] =
      connections_.emplace(ports, VsockConnection(std::move(socket), header.buffer_size));
  place->second.update_credit(header.buffer_size, header.forwarded);
  if (!loop_.watch(fd, EPOLLIN | EPOLLONESHOT,
                   [this, ports](std::uint32_t events) { socket_event(ports, events); })) {
    connections_.erase(place);
    owe_reset(ports);
  }
}

bool Vsock::accept_packet(VsockConnection& connection, const VsockHeader& header,
                          const Chain& packet) noexcept {
  connection.update_credit(header.buffer_size, header.forwarded);
  switch (header.operation) {
    case VsockOperation::kData: {
      if (header.length == 0)
        return true;
      const std::span<std::byte> room = connection.reserve(header.length);
      if (room.empty() || (connection.guest_shutdown & kShutdownSend) != 0)
        return false;
      packet.read(sizeof header, room);
      return true;
    }
    case VsockOperation::kShutdown:
      connection.guest_shutdown |= header.flags & (kShutdownReceive | kShutdownSend);
      return true;
    case VsockOperation::kCreditRequest:
      connection.owes_update = true;
      return true;
    case VsockOperation::kCreditUpdate:
      return true;
    default:
      return false;
  }
}

bool Vsock::advance(Connections::iterator place) noexcept {
  VsockConnection& connection = place->second;
  if (!connection.flush()) {
    close(place, true);
    return false;
  }
  if (connection.owes_credit())
    connection.owes_update = true;
  if (connection.is_flushed() && connection.guest_shutdown == (kShutdownReceive | kShutdownSend)) {
    close(place, true);
    return false;
  }
  if (connection.is_flushed() && (connection.guest_shutdown & kShutdownSend) != 0 &&
      !connection.write_side_closed) {
    connection.write_side_closed = true;
    ::shutdown(connection.socket(), SHUT_WR);
  }
  update_interest(connection);
  return true;
}

void Vsock::close(Connections::iterator connection, bool tell) noexcept {
  if (tell)
    owe_reset(connection->first);
  loop_.unwatch(connection->second.socket());
  connections_.erase(connection);
}

void Vsock::owe_reset(const VsockPorts& ports) noexcept {
  // A guest that sends without ever making room for answers does not get them all.
  if (resets_.size() < kMostResets)
    resets_.push_back(ports);
}

// From the host's sockets.

void Vsock::socket_event(const VsockPorts& ports, std::uint32_t events) noexcept {
  const auto found = connections_.find(ports);
  if (found == connections_.end())
    return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    found->second.readable = true;
  if ((events & EPOLLHUP) != 0 && found->second.ended) {
    // Both directions are closed. Nobody will read what the guest sends: say so once.
    close(found, true);
  } else {
    advance(found);
  }
  fill_receive_queue();
}

void Vsock::update_interest(VsockConnection& connection) noexcept {
  const bool waits_to_write = !connection.is_flushed();
  // What is there to be read waits for the guest's credit. To be told of it, or of the socket's end, again
  // and again meanwhile would keep the loop busy: events come once (EPOLLONESHOT) until they are asked for
  // again.
  if (connection.readable && !waits_to_write)
    return;
  const bool waits_to_read = !connection.readable && !connection.ended;
  loop_.change(connection.socket(),
               (waits_to_read ? EPOLLIN : 0U) | (waits_to_write ? EPOLLOUT : 0U) | EPOLLONESHOT);
}

// To the guest.

void Vsock::fill_receive_queue() noexcept {
  Queue* queue = host().queue(kReceive);
  if (queue == nullptr)
    return;
  bool any = false;
  // One ring's worth at a time, as in serve_all(): the buffers that come meanwhile come with a notification.
  for (unsigned count = 0; count < queue->size(); ++count) {
    const auto popped = queue->pop(chain());
    if (!popped) {
      host().fail(popped.error());
      return;
    }
    if (!*popped)
      break;
    if (chain().writable_bytes < sizeof(VsockHeader)) {
      host().fail(QueueError::kRequest);
      return;
    }
    const std::size_t size = next_packet(chain());
    if (size == 0) {
      queue->unpop();
      break;
    }
    queue->complete(chain(), static_cast<std::uint32_t>(size));
    any = true;
  }
  if (any)
    host().interrupt(*queue);
}

std::size_t Vsock::next_packet(const Chain& packet) noexcept {
  if (!resets_.empty()) {
    const VsockPorts ports = resets_.front();
    resets_.pop_front();
    return put(packet, ports, nullptr, VsockOperation::kReset);
  }
  // Each connection in turn, beginning behind the one that had the last.
  auto place = connections_.upper_bound(turn_);
  for (std::size_t count = connections_.size(); count > 0; --count) {
    if (place == connections_.end())
      place = connections_.begin();
    const std::size_t size = next_packet_of(place->first, place->second, packet);
    if (size > 0) {
      turn_ = place->first;
      return size;
    }
    ++place;
  }
  return 0;
}

std::size_t Vsock::next_packet_of(const VsockPorts& ports, VsockConnection& connection,
                                  const Chain& packet) noexcept {
  if (connection.owes_response) {
    connection.owes_response = false;
    return put(packet, ports, &connection, VsockOperation::kResponse);
  }
  if (connection.owes_update) {
    connection.owes_update = false;
    return put(packet, ports, &connection, VsockOperation::kCreditUpdate);
  }
  if (connection.readable) {
    const std::size_t size = send_data(ports, connection, packet);
    update_interest(connection);
    if (size > 0)
      return size;
  }
  if (connection.owed_shutdown != 0) {
    const std::uint32_t flags = connection.owed_shutdown;
    connection.owed_shutdown = 0;
    return put(packet, ports, &connection, VsockOperation::kShutdown, flags);
  }
  return 0;
}

std::size_t Vsock::send_data(const VsockPorts& ports, VsockConnection& connection,
                             const Chain& packet) noexcept {
  const std::size_t room =
      std::min<std::size_t>({packet.writable_bytes - sizeof(VsockHeader), connection.credit(), kMostData});
  if (room == 0)
    return 0;  // still readable: asked again when the guest has given credit
  std::size_t skip = sizeof(VsockHeader);
  std::size_t done = 0;
  for (const GuestSlice& slice : packet.writable) {
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    const std::size_t wanted = std::min(slice.size() - skip, room - done);
    const ssize_t got = ::recv(connection.socket(), slice.data() + skip, wanted, MSG_DONTWAIT);
    if (got <= 0) {
      connection.readable = false;
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        connection.ended = true;
        connection.owed_shutdown = kShutdownSend;
      }
      break;
    }
    done += static_cast<std::size_t>(got);
    skip = 0;
    if (done == room || static_cast<std::size_t>(got) < wanted)
      break;
  }
  if (done == 0)
    return 0;
  connection.sent(static_cast<std::uint32_t>(done));
  return put(packet, ports, &connection, VsockOperation::kData, 0, static_cast<std::uint32_t>(done));
}

std::size_t Vsock::put(const Chain& packet, const VsockPorts& ports, VsockConnection* connection,
                       VsockOperation operation, std::uint32_t flags, std::uint32_t length) noexcept {
  VsockHeader header{.source_cid = kHostCid,
                     .destination_cid = cid_,
                     .source_port = ports.host,
                     .destination_port = ports.guest,
                     .length = length,
                     .type = kStreamType,
                     .operation = operation,
                     .flags = flags};
  if (connection != nullptr) {
    header.buffer_size = VsockConnection::kBufferBytes;
    header.forwarded = connection->forwarded();
    connection->told();
  }
  packet.write(0, std::as_bytes(std::span(&header, 1)));
  return sizeof header + length;
}

}  // namespace trine::hvm
