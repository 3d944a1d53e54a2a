#include "backend/vm_clients.h"

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/socket.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/vm_exec.h"
#include "scratch.h"

using namespace trine;
using namespace trine::hvm;
using namespace trine::runtime::backend;

namespace {

/// The trine of an instance, and commands that talk to it.
class Host {
  test::Scratch scratch_;

 public:
  VmClients clients{make_control_socket(scratch_.path())};

  [[nodiscard]] std::string socket() const { return scratch_.path(kControlSocket); }
  base::UniqueFd connect() {
    base::UniqueFd made = base::connect_unix(socket(), SOCK_STREAM);
    turn();
    return made;
  }
  /// Once around its loop.
  void turn() {
    std::vector<pollfd> waits;
    clients.prepare(waits);
    REQUIRE(::poll(waits.data(), waits.size(), 0) >= 0);
    clients.carry(waits);
  }
  /// Sends a frame, and gives what it comes to for the guest.
  std::vector<Frame> ask(const base::UniqueFd& command, const Frame& frame) {
    const std::string bytes = encode_frame(frame);
    REQUIRE(::send(command.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    turn();
    return clients.take_requests();
  }
};

/// All frames that have come to a command.
std::vector<Frame> frames_at(const base::UniqueFd& command) {
  FrameReader reader;
  std::array<char, 65536> bytes;
  ssize_t got = 0;
  while ((got = ::recv(command.get(), bytes.data(), bytes.size(), MSG_DONTWAIT)) > 0)
    reader.append({bytes.data(), static_cast<std::size_t>(got)});
  std::vector<Frame> frames;
  while (auto frame = reader.next())
    frames.push_back(std::move(*frame));
  return frames;
}

bool is_dropped(const base::UniqueFd& command, Host& host) {
  host.turn();
  (void)frames_at(command);
  char byte = 0;
  return ::recv(command.get(), &byte, 1, MSG_DONTWAIT) == 0;
}

const Frame kExecFrame{.type = FrameType::kExec, .request = kOwnProcess, .payload = "plan"};
const Frame kStatsFrame{.type = FrameType::kStats, .request = kFirstProcess, .payload = {}};
const Frame kTerm{.type = FrameType::kSignal, .request = kFirstProcess, .payload = wire::encode(15U)};

}  // namespace

TEST_CASE("the control socket is for its owner alone") {
  const Host host;
  struct stat status{};
  REQUIRE(::stat(host.socket().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("each command's process has a number of its own to the guest, and 2 to the command") {
  Host host;
  const auto one = host.connect();
  const auto two = host.connect();
  const auto first = host.ask(one, kExecFrame);
  const auto second = host.ask(two, kExecFrame);
  REQUIRE(first.size() == 1);
  REQUIRE(second.size() == 1);
  CHECK(first[0].payload == "plan");
  CHECK(first[0].request != second[0].request);
  CHECK(first[0].request != kFirstProcess);
  host.clients.give({.type = FrameType::kExit, .request = second[0].request, .payload = "x"});
  CHECK(frames_at(one).size() == 1);  // kReady
  const auto answers = frames_at(two);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].type == FrameType::kExit);
  CHECK(answers[1].request == kOwnProcess);
}

TEST_CASE("a signal for the first process is passed on and acknowledged") {
  Host host;
  const auto command = host.connect();
  const auto requests = host.ask(command, kTerm);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].request == kFirstProcess);
  const auto answers = frames_at(command);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].type == FrameType::kTaken);
}

TEST_CASE("a command that asks for what is not its own is dropped") {
  const std::vector<Frame> bad{
      {.type = FrameType::kExec, .request = kFirstProcess, .payload = {}},
      {.type = FrameType::kSignal, .request = kOwnProcess, .payload = wire::encode(9U)},  // it has none
      {.type = FrameType::kSignal, .request = 3, .payload = wire::encode(9U)},            // another's
      {.type = FrameType::kResize, .request = kFirstProcess, .payload = {}},
      {.type = FrameType::kShutdown, .request = kFirstProcess, .payload = {}},
      {.type = FrameType::kStart, .request = kFirstProcess, .payload = {}}};
  for (const Frame& frame : bad) {
    Host host;
    const auto command = host.connect();
    CHECK(host.ask(command, frame).empty());
    CHECK(is_dropped(command, host));
  }
}

TEST_CASE("a command has one process") {
  Host host;
  const auto command = host.connect();
  CHECK(host.ask(command, kExecFrame).size() == 1);
  CHECK(host.ask(command, kExecFrame).empty());
  CHECK(is_dropped(command, host));
}

TEST_CASE("what is no frame ends the conversation") {
  Host host;
  const auto command = host.connect();
  const std::string garbage(64, '\xff');
  REQUIRE(::send(command.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL) == 64);
  host.turn();
  CHECK(is_dropped(command, host));
}

TEST_CASE("a stream is handed over with its descriptor, and to nobody else") {
  Host host;
  const auto command = host.connect();
  const auto request = host.ask(command, kExecFrame).front().request;
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const base::UniqueFd ours(pair[0]);
  const base::UniqueFd theirs(pair[1]);
  const int before = test::open_descriptors();
  host.clients.give_stream({.request = request + 1, .kind = StreamKind::kOutput}, theirs);
  CHECK(frames_at(command).size() == 1);
  host.clients.give_stream({.request = request, .kind = StreamKind::kOutput}, theirs);
  const auto frames = frames_at(command);  // recv() throws the descriptor away
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].type == FrameType::kStream);
  CHECK(wire::decode<StreamHello>(frames[0].payload)->request == kOwnProcess);
  CHECK(test::open_descriptors() == before);
}

TEST_CASE("a command that reads nothing is dropped before it holds anybody up") {
  Host host;
  const auto command = host.connect();
  const auto request = host.ask(command, kExecFrame).front().request;
  const std::string long_answer(60'000, 'x');
  int given = 0;
  while (host.clients.has(request) && given < 1000) {
    host.clients.give({.type = FrameType::kFailed, .request = request, .payload = long_answer});
    ++given;
  }
  CHECK(given < 1000);
}

TEST_CASE("an answer that is too long is no answer, and the command hears of it") {
  Host host;
  const auto command = host.connect();
  const auto request = host.ask(command, kExecFrame).front().request;
  host.clients.give({.type = FrameType::kFailed, .request = request, .payload = std::string(1 << 20, 'x')});
  const auto answers = frames_at(command);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].payload.empty());
}

TEST_CASE("a process is nobody's when its command has gone") {
  Host host;
  auto command = host.connect();
  const auto request = host.ask(command, kExecFrame).front().request;
  CHECK(host.clients.has(request));
  command.reset();
  host.turn();
  CHECK_FALSE(host.clients.has(request));
  CHECK_FALSE(host.clients.has(0));
}

TEST_CASE("each command gets the answer to its own question") {
  Host host;
  const base::UniqueFd one = host.connect();
  const base::UniqueFd other = host.connect();
  const auto first = host.ask(one, kStatsFrame);
  const auto second = host.ask(other, kStatsFrame);
  REQUIRE(first.size() == 1);
  REQUIRE(second.size() == 1);
  CHECK(first[0].type == FrameType::kStats);
  CHECK(first[0].request != second[0].request);
  CHECK(first[0].request != kFirstProcess);
  host.clients.give({.type = FrameType::kFigures, .request = second[0].request, .payload = "for the other"});
  (void)frames_at(one);
  const auto answer = frames_at(other);
  REQUIRE(!answer.empty());
  CHECK(answer.back().type == FrameType::kFigures);
  CHECK(answer.back().request == kFirstProcess);
  CHECK(answer.back().payload == "for the other");
  SECTION("an answer to no question, or to one that was answered, goes nowhere") {
    host.clients.give({.type = FrameType::kFigures, .request = second[0].request, .payload = "again"});
    host.clients.give({.type = FrameType::kFigures, .request = 99, .payload = "unasked"});
    CHECK(frames_at(one).empty());
    CHECK(frames_at(other).empty());
  }
  SECTION("a command may ask again once it has its answer") {
    CHECK(host.ask(other, kStatsFrame).size() == 1);
  }
  SECTION("one that asks twice at a time is dropped") {
    CHECK(host.ask(one, kStatsFrame).empty());
    CHECK(is_dropped(one, host));
  }
}

TEST_CASE("a command asks about the instance, not about its own process") {
  Host host;
  const base::UniqueFd command = host.connect();
  Frame wrong = kStatsFrame;
  wrong.request = kOwnProcess;
  CHECK(host.ask(command, wrong).empty());
  CHECK(is_dropped(command, host));
}

TEST_CASE("a command whose instance ends when its streams have ended does not wait for more") {
  const test::Scratch scratch;
  const base::UniqueFd listener = make_control_socket(scratch.path());
  std::thread instance([&] {
    pollfd asked{.fd = listener.get(), .events = POLLIN, .revents = 0};
    (void)::poll(&asked, 1, -1);
    const base::UniqueFd command(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char first = 0;
    (void)!::recv(command.get(), &first, 1, 0);
  });
  const runtime::attach::SignalBlock signals;
  CHECK(exec_in_vm({.socket = scratch.path(kControlSocket), .process = {}, .on_started = {}}, signals) ==
        137);
  instance.join();
}
