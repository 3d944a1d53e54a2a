#include "clients.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace trine::runtime::supervisor {
namespace {

constexpr std::size_t kMostClients = 64;

}  // namespace

bool Clients::are_ready() const {
  return std::ranges::all_of(clients_, [](const Client& client) { return client.pending.empty(); });
}

void Clients::prepare(std::vector<pollfd>& waits, bool input) {
  waits.push_back({.fd = listener_.get(), .events = POLLIN, .revents = 0});
  for (const Client& client : clients_) {
    const int events = (input ? POLLIN : 0) | (client.pending.empty() ? 0 : POLLOUT);
    waits.push_back({.fd = client.socket.get(), .events = static_cast<short>(events), .revents = 0});
  }
  waited_ = clients_.size();
}

void Clients::act(const std::vector<pollfd>& waits, std::size_t first, const OnMessage& on_message) {
  for (std::size_t i = 0; i < waited_; ++i) {
    const short events = waits[first + 1 + i].revents;
    if ((events & POLLOUT) != 0)
      flush(clients_[i]);
    if ((events & POLLIN) != 0)
      receive(clients_[i], on_message);
    else if ((events & (POLLHUP | POLLERR)) != 0)
      clients_[i].gone = true;
  }
  if ((waits[first].revents & POLLIN) != 0)
    accept_one();
  forget_the_gone();
}

void Clients::accept_one() {
  base::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket && clients_.size() < kMostClients)
    add(std::move(socket));
}

void Clients::flush(Client& client) {
  if (client.pending.empty())
    return;
  if (::send(client.socket.get(), client.pending.data(), client.pending.size(), MSG_NOSIGNAL) >= 0)
    client.pending.clear();
  else if (errno != EAGAIN && errno != EINTR)
    client.gone = true;
}

void Clients::receive(Client& client, const OnMessage& on_message) {
  std::array<char, kMostBytes> message;
  const ssize_t size = ::recv(client.socket.get(), message.data(), message.size(), 0);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
    client.gone = true;
    return;
  }
  if (size > 0)
    on_message(static_cast<Message>(message[0]), {message.data() + 1, static_cast<std::size_t>(size) - 1});
}

void Clients::send(Message kind, std::string_view bytes) {
  if (clients_.empty())
    return;
  std::string message(1, static_cast<char>(kind));
  message += bytes;
  for (Client& client : clients_) {
    client.pending = message;
    flush(client);
  }
  forget_the_gone();
}

void Clients::end(int code, int patience_ms) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(patience_ms);
  while (!are_ready()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    std::vector<pollfd> waits;
    prepare(waits, false);
    if (left <= 0 || ::poll(waits.data(), waits.size(), static_cast<int>(left)) == 0)
      break;
    act(waits, 0, [](Message, std::string_view) {});
  }
  const char byte = static_cast<char>(code);
  send(Message::kExit, {&byte, 1});
  clients_.clear();
}

void Clients::forget_the_gone() {
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
}

}  // namespace trine::runtime::supervisor
