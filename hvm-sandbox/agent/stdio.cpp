#include "agent/stdio.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

// Behind the socket header, whose types it uses.
#include <linux/vm_sockets.h>

#include "base/error.h"
#include "base/file.h"
#include "base/pipe.h"

namespace trine::hvm {
namespace {

void unblock(const base::UniqueFd& fd) {
  (void)::fcntl(fd.get(), F_SETFL, O_NONBLOCK | ::fcntl(fd.get(), F_GETFL));
}

base::UniqueFd copy_of(const base::UniqueFd& fd) {
  base::UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy)
    base::throw_errno("cannot copy a descriptor");
  return copy;
}

}  // namespace

base::UniqueFd dial(std::uint32_t port) {
  base::UniqueFd connection(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_port = port;
  address.svm_cid = VMADDR_CID_HOST;
  if (!connection ||
      ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    base::throw_errno("cannot reach the host on port " + std::to_string(port));
  return connection;
}

Stdio::Stdio(std::uint64_t request, const Streams& wanted) : detached_(wanted.detached) {
  std::vector<StreamKind> kinds{StreamKind::kOutput, StreamKind::kError};
  if (wanted.terminal)
    kinds = {StreamKind::kTerminal};
  else if (wanted.input)
    kinds.push_back(StreamKind::kInput);
  for (const StreamKind kind : kinds) {
    Stream stream{.kind = kind,
                  .connection = detached_ ? base::open_file("/dev/null", O_RDWR) : dial(kStreamPort)};
    if (!detached_) {
      base::write_all(stream.connection.get(), wire::encode(StreamHello{.request = request, .kind = kind}),
                      "a stream to the host");
      unblock(stream.connection);
    }
    if (kind != StreamKind::kTerminal) {
      auto [reader, writer] = base::make_pipe();
      const bool is_input = kind == StreamKind::kInput;
      stream.ours = std::move(is_input ? writer : reader);
      stream.theirs = std::move(is_input ? reader : writer);
      unblock(stream.ours);
    }
    streams_.push_back(std::move(stream));
  }
}

Stdio::Borrowed::Borrowed(Stdio& stdio) : stdio_(stdio) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    before_[static_cast<std::size_t>(fd)].reset(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  for (const Stream& stream : stdio_.streams_) {
    if (stream.theirs)
      ::dup2(stream.theirs.get(), static_cast<int>(stream.kind));
  }
}

Stdio::Borrowed::~Borrowed() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    ::dup2(before_[static_cast<std::size_t>(fd)].get(), fd);
  // The process has them now; a pipe ends when it lets go.
  for (Stream& stream : stdio_.streams_)
    stream.theirs.reset();
}

void Stdio::connect(base::UniqueFd terminal) {
  terminal_ = std::move(terminal);
  for (Stream& stream : streams_) {
    if (stream.kind == StreamKind::kInput)
      continue;
    const bool is_terminal = stream.kind == StreamKind::kTerminal;
    if (is_terminal)
      unblock(terminal_);
    pumps_.emplace_back(is_terminal ? copy_of(terminal_) : std::move(stream.ours), copy_of(stream.connection),
                        Pump::Target::kOwn);
  }
  outputs_ = pumps_.size();
  for (Stream& stream : streams_) {
    if (stream.kind == StreamKind::kTerminal && detached_)
      continue;  // nothing to type, and no end of it either
    if (stream.kind == StreamKind::kTerminal)
      pumps_.emplace_back(std::move(stream.connection), copy_of(terminal_), Pump::Target::kOwn);
    else if (stream.kind == StreamKind::kInput)
      pumps_.emplace_back(std::move(stream.connection), std::move(stream.ours), Pump::Target::kOwn);
  }
  streams_.clear();
}

void Stdio::resize(const TerminalSize& size) const {
  const winsize window{.ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (terminal_)
    (void)::ioctl(terminal_.get(), TIOCSWINSZ, &window);  // a terminal that is gone has no size
}

bool Stdio::awaits_end() const {
  return terminal_ && pumps_.back().done() && !pumps_.front().done();
}

void Stdio::type_end() const {
  constexpr char kEndOfInput = 4;                    // VEOF, ^D
  (void)!::write(terminal_.get(), &kEndOfInput, 1);  // one that does not take it is asked again
}

void Stdio::hang_up_if_alone() {
  if (terminal_ && pumps_.front().done())
    terminal_.reset();
}

bool Stdio::drained() const {
  return std::all_of(pumps_.begin(), pumps_.begin() + static_cast<std::ptrdiff_t>(outputs_),
                     [](const Pump& pump) { return pump.done(); });
}

}  // namespace trine::hvm
