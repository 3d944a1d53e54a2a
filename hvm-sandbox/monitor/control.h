#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "loop/event_loop.h"

namespace trine::hvm {

/// What the machine's caller may ask of it.
class Controlled {
 public:
  virtual ~Controlled() = default;
  /// Takes the processors out of the guest and lets the devices rest; `done` is called when it is so;
  /// at once when it is paused already.
  virtual void pause(std::function<void()> done) = 0;
  /// Undoes it, also before it is done.
  virtual void resume() = 0;
  /// How much memory the guest is to give back. False: not before its driver is ready.
  virtual bool set_balloon(std::uint64_t bytes) = 0;
  /// "name value" pairs, one space between all of them.
  [[nodiscard]] virtual std::string stats() const = 0;
};

/// Reads the words of the machine's caller from `channel`, a seqpacket socket, one in a packet, and answers
/// each by one packet without a descriptor: "ok" or "ok …", or "error …". In turn: the next word is read when
/// the last is answered, but for resume, which answers a pause that is under way.
///
///     pause            every processor is out of the guest, the devices are quiet
///     resume
///     balloon BYTES    what the guest is to give back of its memory
///     stats            "ok paused 0 balloon 0 wanted 0 reported 1234"
class Control {
 public:
  Control(int channel, EventLoop& loop, Controlled& machine) noexcept
      : channel_(channel), loop_(loop), machine_(machine) {}

  /// Throws base::Error when the kernel refuses.
  void start();

 private:
  void receive() noexcept;
  void obey(std::string_view word);
  void pause();
  void answer(std::string text) noexcept;
  void send() noexcept;

  int channel_;
  EventLoop& loop_;
  Controlled& machine_;
  bool pausing_ = false;            ///< and not answered yet
  std::deque<std::string> unsent_;  ///< answers
};

}  // namespace trine::hvm
