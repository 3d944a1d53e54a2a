#include "agent/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "agent/entropy.h"
#include "agent/layers.h"
#include "agent/shares.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace trine::hvm {
namespace {

/// How long output may still come from a process that has ended, in milliseconds without any. Its pid
/// namespace dies with it; one that shares the guest's may leave others behind that hold its streams open.
constexpr int kQuietTime = 1000;

/// How often a terminal whose input has ended is told so: in a begun line the first time ends only that, and
/// a shell that changes the terminal's mode meanwhile does not see it.
constexpr int kEndInterval = 200;

using Clock = std::chrono::steady_clock;

/// The earlier of two timeouts of poll(2), where -1 is never.
int sooner(int one, int other) {
  return one < 0 ? other : std::min(one, other);
}

Failure not_understood() {
  return {.message = "the agent does not understand what it is asked to start",
          .hint = "is the agent of the same version as trine?"};
}

Failure not_running() {
  return {.message = "its process is not running"};
}

Failure failure_of(const base::Error& error) {
  return {.message = error.message(), .hint = error.hint(), .errno_value = error.errno_value()};
}

void write_files(const StartRequest& request) {
  base::make_directories(kFilesDirectory);
  const base::UniqueFd directory = base::open_file(kFilesDirectory, O_RDONLY | O_DIRECTORY);
  for (const auto& [name, content] : request.files) {
    const base::UniqueFd file = base::open_file_at(directory.get(), name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    base::write_all(file.get(), content, name);
  }
}

/// The clock went on while the guest stood still, or not: that depends on which one its kernel has taken. A
/// small difference is the way of the message, and stays: what is set back is seen by the workload.
void set_time(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kSmall = 100'000'000;
  constexpr std::uint64_t kMost = INT64_MAX;
  timespec now{};
  if (nanoseconds > kMost || ::clock_gettime(CLOCK_REALTIME, &now) != 0)
    return;
  const auto own = (static_cast<std::int64_t>(now.tv_sec) * static_cast<std::int64_t>(kSecond)) + now.tv_nsec;
  if (std::abs(static_cast<std::int64_t>(nanoseconds) - own) < kSmall)
    return;
  const timespec time{.tv_sec = static_cast<time_t>(nanoseconds / kSecond),
                      .tv_nsec = static_cast<long>(nanoseconds % kSecond)};
  if (::clock_settime(CLOCK_REALTIME, &time) != 0)
    base::print_warning("cannot set the guest's clock");
}

/// The guest goes on without, as it would without a host that knows of it.
void take_seed(const std::string& payload) {
  try {
    if (const auto seed = wire::decode<std::string>(payload))
      (void)reseed(*seed);
  } catch (const base::Error& error) {
    base::print_warning(error.what());
  }
}

}  // namespace

Session::Session(Launcher& launcher) : launcher_(launcher), control_(dial(kControlPort)) {
  send(FrameType::kReady, 0, wire::encode(Ready{}));
}

int Session::Job::quiet_time_left() const {
  const auto quiet = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_heard).count();
  return quiet < kQuietTime ? kQuietTime - static_cast<int>(quiet) : 0;
}

void Session::send(FrameType type, std::uint64_t request, std::string payload) {
  base::write_all(control_.get(),
                  encode_frame({.type = type, .request = request, .payload = std::move(payload)}),
                  "the connection to the host");
}

void Session::run() {
  while (connected_) {
    wait_and_carry();
    settle();
  }
}

void Session::wait_and_carry() {
  std::vector<pollfd> waits{{.fd = control_.get(), .events = POLLIN, .revents = 0}};
  int timeout = -1;
  for (auto& [request, job] : jobs_) {
    waits.push_back({.fd = job.ended ? -1 : job.workload->process().pidfd(), .events = POLLIN, .revents = 0});
    job.stdio->hang_up_if_alone();
    if (job.ended)
      timeout = sooner(timeout, job.quiet_time_left());
    else if (job.stdio->awaits_end())
      timeout = sooner(timeout, kEndInterval);
    for (const Pump& pump : job.stdio->pumps()) {
      std::array<pollfd, Pump::kWaits> pair{};
      pump.prepare(pair);
      waits.insert(waits.end(), pair.begin(), pair.end());
    }
  }
  const int count = ::poll(waits.data(), waits.size(), timeout);
  if (count < 0 && errno != EINTR)
    base::throw_errno("cannot wait for the host");
  std::size_t next = 1;
  for (auto& [request, job] : jobs_) {
    bool heard = waits[next].revents != 0;
    if (waits[next++].revents != 0 && !job.ended)
      job.ended = job.workload->process().wait();
    for (Pump& pump : job.stdio->pumps()) {
      heard |= waits[next].revents != 0;
      pump.carry({waits[next], waits[next + 1]});
      next += Pump::kWaits;
    }
    if (heard)
      job.last_heard = Clock::now();
    if (count == 0 && job.stdio->awaits_end())
      job.stdio->type_end();
  }
  // Last: it may add a job.
  if (waits.front().revents != 0)
    connected_ = receive();
}

bool Session::receive() {
  std::array<char, 65536> bytes;
  const ssize_t got = ::read(control_.get(), bytes.data(), bytes.size());
  if (got < 0 && errno == EINTR)
    return true;
  if (got <= 0)
    return false;
  reader_.append({bytes.data(), static_cast<std::size_t>(got)});
  while (const auto frame = reader_.next()) {
    if (!handle(*frame))
      return false;
  }
  return !reader_.broken();
}

bool Session::handle(const Frame& frame) {
  const auto job = jobs_.find(frame.request);
  switch (frame.type) {
    case FrameType::kStart:
      start(frame, &Session::try_first);
      return true;
    case FrameType::kExec:
      start(frame, &Session::try_exec);
      return true;
    case FrameType::kNet:
      if (const auto failure = launcher_.set_up_network(frame.payload))
        send(FrameType::kFailed, frame.request, wire::encode(*failure));
      return true;
    case FrameType::kSignal:
      if (const auto number = wire::decode<std::uint32_t>(frame.payload); number && job != jobs_.end())
        job->second.workload->process().signal(static_cast<int>(*number));
      return true;
    case FrameType::kResize:
      if (const auto size = wire::decode<TerminalSize>(frame.payload); size && job != jobs_.end())
        job->second.stdio->resize(*size);
      return true;
    case FrameType::kStats:
      tell_figures(frame.request);
      return true;
    case FrameType::kSetTime:
      if (const auto time = wire::decode<std::uint64_t>(frame.payload))
        set_time(*time);
      return true;
    case FrameType::kReseed:
      take_seed(frame.payload);
      return true;
    case FrameType::kShutdown:
      return false;
    default:
      base::print_warning("the host sent a frame of the unknown type " +
                          std::to_string(static_cast<unsigned>(frame.type)));
      return true;
  }
}

void Session::start(const Frame& frame, std::optional<Failure> (Session::*try_start)(const Frame&, Job&)) {
  Job job;
  if (const auto failure = (this->*try_start)(frame, job)) {
    send(FrameType::kFailed, frame.request, wire::encode(*failure));
    return;
  }
  jobs_.emplace(frame.request, std::move(job));
  send(FrameType::kStarted, frame.request, {});
}

void Session::tell_figures(std::uint64_t request) {
  Job* const job = running_first();
  if (job == nullptr) {
    send(FrameType::kFailed, request, wire::encode(not_running()));
    return;
  }
  try {
    send(FrameType::kFigures, request, wire::encode(job->workload->figures()));
  } catch (const base::Error& error) {
    send(FrameType::kFailed, request, wire::encode(failure_of(error)));
  }
}

Session::Job* Session::running_first() {
  const auto first = first_ ? jobs_.find(*first_) : jobs_.end();
  return first == jobs_.end() || first->second.ended ? nullptr : &first->second;
}

std::optional<Failure> Session::try_first(const Frame& frame, Job& job) {
  const auto request = wire::decode<StartRequest>(frame.payload);
  if (!request || first_)
    return not_understood();
  try {
    const std::vector<std::string> layers = mount_layers(request->layers, request->mapped_layers);
    write_files(*request);
    mount_shares(request->shares);
    job.stdio = std::make_unique<Stdio>(frame.request,
                                        Streams{.terminal = request->terminal, .input = request->input});
    auto failure = connect(job, [&] { return launcher_.start(*request, layers); });
    if (!failure)
      first_ = frame.request;
    return failure;
  } catch (const base::Error& error) {
    return failure_of(error);
  }
}

std::optional<Failure> Session::try_exec(const Frame& frame, Job& job) {
  const auto request = wire::decode<ExecRequest>(frame.payload);
  if (!request || jobs_.contains(frame.request))
    return not_understood();
  Job* const first = running_first();
  if (first == nullptr)
    return not_running();
  try {
    job.stdio = std::make_unique<Stdio>(
        frame.request,
        Streams{.terminal = request->terminal, .input = request->input, .detached = request->detached});
    return connect(job, [&] { return launcher_.exec(*request, *first->workload); });
  } catch (const base::Error& error) {
    return failure_of(error);
  }
}

std::optional<Failure> Session::connect(Job& job, const std::function<Launcher::Made()>& make) {
  {
    const Stdio::Borrowed borrowed(*job.stdio);
    auto made = make();
    if (!made)
      return made.error();
    job.workload = std::move(*made);
  }
  job.stdio->connect(job.workload->take_terminal());
  return std::nullopt;
}

/// Reports those that ended once all that they wrote is with the host.
void Session::settle() {
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (!job->second.ended || !(job->second.stdio->drained() || job->second.quiet_time_left() == 0)) {
      ++job;
      continue;
    }
    const Exit exit{.code = static_cast<std::uint32_t>(job->second.ended->code),
                    .oom_killed = job->second.workload->finish()};
    const std::uint64_t request = job->first;
    job = jobs_.erase(job);
    send(FrameType::kExit, request, wire::encode(exit));
  }
}

}  // namespace trine::hvm
