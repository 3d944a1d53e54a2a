#include "attach/terminal_pump.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/error.h"
#include "own_stdio.h"
#include "pty_pair.h"
#include "runtime/attach/terminal_mode.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime::attach;

namespace {

/// Text that shows where a part of it is missing or out of place.
std::string numbered_lines(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text += std::to_string(i) + "\n";
  text.resize(size);
  return text;
}

/// A pump between files that play our stdio and a terminal whose other end the test holds.
class Pumped {
 public:
  explicit Pumped(const std::string& input, bool interactive = true)
      : input_(open("input", input)),
        output_(open("output", "")),
        terminal_(test::open_terminal()),
        pump_(std::move(terminal_.master), interactive) {
    test::make_raw(terminal_.peer.get());
    ::fcntl(terminal_.peer.get(), F_SETFL, O_NONBLOCK);
  }

  [[nodiscard]] int peer() const { return terminal_.peer.get(); }
  [[nodiscard]] TerminalPump& pump() { return pump_; }
  [[nodiscard]] std::string output() const { return scratch_.content("output"); }
  /// How much of the input was taken.
  [[nodiscard]] std::size_t taken() const {
    return static_cast<std::size_t>(::lseek(input_.get(), 0, SEEK_CUR));
  }

  /// Carries bytes until there is nothing to do.
  void settle() {
    const test::Stdio stdio(input_.get(), output_.get());
    std::array<pollfd, TerminalPump::kWaits> waits{};
    for (;;) {
      pump_.prepare(waits);
      // Between the two ends of a terminal the kernel takes a moment.
      if (::poll(waits.data(), waits.size(), 20) <= 0)
        return;
      pump_.carry(waits);
    }
  }
  void drain() {
    const test::Stdio stdio(input_.get(), output_.get());
    pump_.drain();
  }
  /// What the program would read now.
  [[nodiscard]] std::string typed() const {
    std::string all;
    std::array<char, 4096> some{};
    for (ssize_t got = 0; (got = ::read(peer(), some.data(), some.size())) > 0;)
      all.append(some.data(), static_cast<std::size_t>(got));
    return all;
  }
  void close_peer() { terminal_.peer.reset(); }

 private:
  base::UniqueFd open(const std::string& name, const std::string& content) const {
    scratch_.make_file(name, content);
    return base::UniqueFd(::open(scratch_.path(name).c_str(), O_RDWR | O_CLOEXEC));
  }

  test::Scratch scratch_;
  base::UniqueFd input_;
  base::UniqueFd output_;
  test::Terminal terminal_;
  TerminalPump pump_;
};

}  // namespace

TEST_CASE("what the program writes comes out, to the last byte") {
  Pumped pumped("", false);
  const std::string text = numbered_lines(3000);
  REQUIRE(::write(pumped.peer(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  pumped.settle();
  CHECK(pumped.output() == text);
  REQUIRE(::write(pumped.peer(), "last", 4) == 4);
  pumped.close_peer();
  pumped.drain();
  CHECK(pumped.output() == text + "last");
}

TEST_CASE("without -i the program gets nothing of our input") {
  Pumped pumped("secret", false);
  pumped.settle();
  CHECK(pumped.taken() == 0);
  CHECK(pumped.typed().empty());
  CHECK(pumped.pump().timeout() == -1);
}

TEST_CASE("a program that does not read stops us from reading, and loses nothing") {
  const std::string text = numbered_lines(1 << 18);
  Pumped pumped(text);
  pumped.settle();
  CHECK(pumped.taken() < text.size());
  std::string typed;
  for (int rounds = 0; typed.size() < text.size() && rounds < 10'000; ++rounds) {
    typed += pumped.typed();
    pumped.settle();
  }
  CHECK(typed.substr(0, text.size()) == text);
}

TEST_CASE("the end of our input is typed as ^D, twice where it ends within a line") {
  Pumped whole("line\n");
  whole.settle();
  CHECK(whole.typed() == "line\n\x04");
  Pumped begun("line");
  begun.settle();
  CHECK(begun.typed() == "line\x04\x04");
  Pumped empty("");
  empty.settle();
  CHECK(empty.typed() == "\x04");
}

TEST_CASE("the end is typed again, ever more rarely, for a program that was not listening") {
  Pumped pumped("line");
  CHECK(pumped.pump().timeout() == -1);
  pumped.settle();
  CHECK(pumped.typed() == "line\x04\x04");
  int last = pumped.pump().timeout();
  CHECK(last > 0);
  for (int times = 0; times < 10; ++times) {
    pumped.pump().on_timeout();
    pumped.settle();
    CHECK(pumped.typed() == "\x04");
    CHECK(pumped.pump().timeout() >= last);
    last = pumped.pump().timeout();
  }
  CHECK(last < 5000);
}

TEST_CASE("an output that fails is an error, not a loss in silence") {
  const auto terminal = test::open_terminal();
  TerminalPump pump(base::UniqueFd(::dup(terminal.master.get())), false);
  REQUIRE(::write(terminal.peer.get(), "x", 1) == 1);
  const base::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const base::UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto carry = [&] {
    const test::Stdio stdio(null.get(), full.get());
    std::array<pollfd, TerminalPump::kWaits> waits{};
    for (int rounds = 0; rounds < 100; ++rounds) {
      pump.prepare(waits);
      ::poll(waits.data(), waits.size(), 100);
      pump.carry(waits);
    }
  };
  CHECK_THROWS_AS(carry(), base::Error);
}

TEST_CASE("the program's terminal gets the size of ours") {
  const auto ours = test::open_terminal();
  const winsize size{.ws_row = 33, .ws_col = 77, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::ioctl(ours.master.get(), TIOCSWINSZ, &size) == 0);
  const auto its = test::open_terminal();
  const TerminalPump pump(base::UniqueFd(::dup(its.master.get())), false);
  {
    const test::Stdio stdio(ours.peer.get(), ours.peer.get());
    pump.resize();
  }
  winsize got{};
  REQUIRE(::ioctl(its.peer.get(), TIOCGWINSZ, &got) == 0);
  CHECK(got.ws_row == 33);
  CHECK(got.ws_col == 77);
}

TEST_CASE("a terminal is raw for as long as it is held so, and as before afterwards") {
  const auto terminal = test::open_terminal();
  const auto flags = [&] {
    termios mode{};
    ::tcgetattr(terminal.peer.get(), &mode);
    return mode.c_lflag;
  };
  const tcflag_t before = flags();
  REQUIRE((before & ICANON) != 0);
  {
    const RawMode raw(terminal.peer.get());
    CHECK((flags() & (ICANON | ECHO | ISIG)) == 0);
  }
  CHECK(flags() == before);
  const RawMode of_no_terminal(-1);
}
