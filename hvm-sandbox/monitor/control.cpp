#include "monitor/control.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "base/text.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kMostWord = 64;

}  // namespace

void Control::start() {
  if (!loop_.watch_always(channel_, EPOLLIN, [this](std::uint32_t /*events*/) { receive(); }))
    base::throw_errno("cannot listen to the machine's caller");
}

void Control::receive() noexcept {
  send();
  if (!unsent_.empty())
    return;
  std::array<char, kMostWord> text;
  const ssize_t got = ::recv(channel_, text.data(), text.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    loop_.unwatch_always(channel_);  // nobody asks any more
    return;
  }
  obey({text.data(), static_cast<std::size_t>(got)});
}

void Control::obey(std::string_view word) {
  constexpr std::string_view kBalloon = "balloon ";
  if (word == "pause")
    return pause();
  if (word == "resume") {
    machine_.resume();
    if (std::exchange(pausing_, false))
      answer("error it was resumed");
    return answer("ok");
  }
  if (word == "stats")
    return answer("ok " + machine_.stats());
  if (word.starts_with(kBalloon)) {
    const auto bytes = base::parse_unsigned(word.substr(kBalloon.size()));
    if (!bytes)
      return answer("error that is no number of bytes");
    return answer(machine_.set_balloon(*bytes) ? "ok" : "error its guest has no driver for the balloon");
  }
  answer("error there is no such word");
}

void Control::pause() {
  if (pausing_)
    return answer("error it is being paused");
  pausing_ = true;
  machine_.pause([this] {
    if (std::exchange(pausing_, false))
      answer("ok");
  });
}

void Control::answer(std::string text) noexcept {
  unsent_.push_back(std::move(text));
  send();
}

/// Without waiting: a caller that does not listen does not hold up the guest. No word is read while an answer
/// waits.
void Control::send() noexcept {
  const bool waited = !unsent_.empty();
  while (!unsent_.empty()) {
    const std::string& text = unsent_.front();
    if (::send(channel_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
      break;
    unsent_.pop_front();
  }
  if (waited)
    loop_.change_always(channel_, unsent_.empty() ? EPOLLIN : EPOLLOUT);
}

}  // namespace trine::hvm
