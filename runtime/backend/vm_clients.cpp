#include "vm_clients.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/socket.h"
#include "runtime/backend/vm_exec.h"

namespace trine::runtime::backend {
namespace {

constexpr std::size_t kMostClients = 64;
/// Of the guest's answer about a process: it fits a socket's buffer, whoever reads it.
constexpr std::size_t kMostAnswer = 65536;

}  // namespace

base::UniqueFd make_control_socket(const std::string& directory) {
  return base::listen_unix(directory, kControlSocket, SOCK_STREAM, static_cast<int>(kMostClients));
}

void VmClients::prepare(std::vector<pollfd>& waits) {
  std::erase_if(clients_, [](const Client& client) { return client.over; });
  waits.push_back(
      {.fd = clients_.size() < kMostClients ? listener_.get() : -1, .events = POLLIN, .revents = 0});
  for (const Client& client : clients_)
    waits.push_back({.fd = client.socket.get(), .events = POLLIN, .revents = 0});
}

void VmClients::carry(std::span<const pollfd> waits) {
  // Those that prepare() named; accept() comes last, for it adds one.
  for (std::size_t i = 1; i < waits.size(); ++i) {
    if (waits[i].revents != 0 && !clients_[i - 1].over)
      receive(clients_[i - 1]);
  }
  if (waits.front().revents != 0)
    accept();
}

void VmClients::accept() {
  base::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket)
    return;  // it has gone again
  clients_.push_back({.socket = std::move(socket), .reader = {}});
  send(clients_.back(), {.type = hvm::FrameType::kReady, .payload = hvm::wire::encode(hvm::Ready{})});
}

void VmClients::receive(Client& client) {
  std::array<char, 65536> bytes;
  const ssize_t got = ::recv(client.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  client.over = got <= 0;
  if (client.over)
    return;
  client.reader.append({bytes.data(), static_cast<std::size_t>(got)});
  while (auto frame = client.reader.next()) {
    if (!take(client, std::move(*frame))) {
      client.over = true;
      return;
    }
  }
  client.over = client.reader.broken();
}

bool VmClients::take(Client& client, hvm::Frame frame) {
  const bool is_first = frame.request == kFirstProcess;
  if (!is_first && frame.request != kOwnProcess)
    return false;
  switch (frame.type) {
    case hvm::FrameType::kExec:
      if (is_first || client.process != 0)
        return false;
      client.process = next_process_++;
      break;
    case hvm::FrameType::kSignal:
      if (is_first)
        send(client, {.type = hvm::FrameType::kTaken, .request = kFirstProcess, .payload = {}});
      break;
    case hvm::FrameType::kResize:
      if (is_first)
        return false;
      break;
    case hvm::FrameType::kStats:
    case hvm::FrameType::kPause:
    case hvm::FrameType::kResume:
    case hvm::FrameType::kBalloon:
      if (!is_first || client.question != 0)
        return false;
      client.question = frame.request = next_process_++;
      requests_.push_back(std::move(frame));
      return true;
    default:
      return false;
  }
  if (!is_first && client.process == 0)
    return false;
  frame.request = is_first ? kFirstProcess : client.process;
  requests_.push_back(std::move(frame));
  return true;
}

VmClients::Client* VmClients::owner_of(std::uint64_t process) {
  const auto owner = std::ranges::find_if(
      clients_, [&](const Client& client) { return client.process == process && !client.over; });
  return process == 0 || owner == clients_.end() ? nullptr : &*owner;
}

bool VmClients::has(std::uint64_t process) const {
  return process != 0 && std::ranges::any_of(clients_, [&](const Client& client) {
           return client.process == process && !client.over;
         });
}

void VmClients::give_stream(const hvm::StreamHello& hello, const base::UniqueFd& socket) {
  Client* const client = owner_of(hello.request);
  if (client == nullptr)
    return;
  hvm::StreamHello own = hello;
  own.request = kOwnProcess;
  send(*client, {.type = hvm::FrameType::kStream, .request = kOwnProcess, .payload = hvm::wire::encode(own)},
       socket.get());
}

/// False: the frame is about no question of a client's.
bool VmClients::answer(const hvm::Frame& frame) {
  const auto asker = std::ranges::find_if(clients_, [&](const Client& client) {
    return client.question != 0 && client.question == frame.request && !client.over;
  });
  if (asker == clients_.end())
    return false;
  asker->question = 0;
  hvm::Frame own = frame;
  own.request = kFirstProcess;
  send(*asker, own);
  return true;
}

void VmClients::give(hvm::Frame frame) {
  if (frame.payload.size() > kMostAnswer)
    frame.payload.clear();  // no such answer: the command says that it is none
  if (answer(frame))
    return;
  Client* const client = owner_of(frame.request);
  if (client == nullptr)
    return;
  frame.request = kOwnProcess;
  send(*client, frame);
}

void VmClients::send(Client& client, const hvm::Frame& frame, int descriptor) {
  const std::string bytes = hvm::encode_frame(frame);
  const bool sent = descriptor >= 0
                        ? base::try_send_descriptor(client.socket.get(), descriptor, bytes, MSG_DONTWAIT)
                        : ::send(client.socket.get(), bytes.data(), bytes.size(),
                                 MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  client.over |= !sent;
}

}  // namespace trine::runtime::backend
