#include "runtime/backend/listener.h"

#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "base/socket.h"

namespace trine::runtime::backend {
namespace {

std::string process_state(const isolation::SeccompProfile& profile, const std::string& state, pid_t pid) {
  nlohmann::ordered_json container = nlohmann::ordered_json::parse(state);
  nlohmann::ordered_json document{
      {"ociVersion", container["ociVersion"]}, {"fds", {"seccompFd"}}, {"pid", pid}};
  if (!profile.listener_metadata.empty())
    document["metadata"] = profile.listener_metadata;
  document["state"] = std::move(container);
  return document.dump();
}

/// Without the signal that a peer who has hung up would send us.
void send_rest(int socket, std::string_view rest, const std::string& receiver) {
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR)
      base::throw_errno("cannot send the container's state to " + receiver);
    rest.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
  }
}

}  // namespace

void send_listener(const isolation::SeccompProfile& profile, const std::string& state, pid_t pid,
                   int listener) {
  constexpr std::size_t kFirst = 4096;  // surely goes out whole
  const std::string text = process_state(profile, state, pid);
  const std::string receiver = "the seccomp listener " + profile.listener_path;
  base::UniqueFd socket;
  try {
    socket = base::connect_unix(profile.listener_path, SOCK_STREAM);
  } catch (const base::Error& error) {
    throw base::Error("failed to connect with seccomp agent: cannot reach " + receiver, error.errno_value(),
                      "the program that answers must listen there first");
  }
  base::send_descriptor(socket.get(), listener, std::string_view(text).substr(0, kFirst), receiver);
  if (text.size() > kFirst)
    send_rest(socket.get(), std::string_view(text).substr(kFirst), receiver);
}

std::function<void(pid_t, int listener)> listener_sender(const isolation::SeccompProfile& profile,
                                                         std::function<std::string(pid_t)> state) {
  if (!profile.notifies())
    return {};
  return [profile, state = std::move(state)](pid_t pid, int listener) {
    send_listener(profile, state(pid), pid, listener);
  };
}

}  // namespace trine::runtime::backend
