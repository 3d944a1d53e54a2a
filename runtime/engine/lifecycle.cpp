#include "runtime/engine/lifecycle.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/file.h"
#include "base/text.h"
#include "first_process.h"
#include "isolation/signals.h"
#include "layout.h"
#include "pause.h"
#include "runtime/backend/recorded_process.h"

namespace trine::runtime::engine {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kKilled = 128 + SIGKILL;

int stop_signal(const Record& record) {
  return isolation::parse_signal(record.stop_signal).value_or(SIGTERM);
}

bool send_to_first(const Paths& paths, const RunningInstance& instance, int number) {
  if (instance.record.isolation == kVmClass && instance.record.status != kStarting)
    return backend::signal_vm(control_socket(paths, instance.record), number);
  return backend::send_signal(instance.process.get(), number, instance.record.name);
}

/// Nothing when it was not written: trine was killed.
std::optional<int> written_exit_code(int process_file) {
  std::array<char, 32> text{};
  const ssize_t got = process_file < 0 ? -1 : ::pread(process_file, text.data(), text.size(), 0);
  std::string_view rest(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!rest.starts_with(kExitText))
    return std::nullopt;
  rest.remove_prefix(std::string_view(kExitText).size());
  const auto code = base::parse_unsigned(rest.substr(0, rest.find('\n')));
  return code ? std::optional(static_cast<int>(*code)) : std::nullopt;
}

int milliseconds_until(std::optional<Clock::time_point> deadline) {
  if (!deadline)
    return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

void finish_stop(const Paths& paths, const RunningInstance& instance,
                 std::optional<Clock::time_point> deadline) {
  if (!backend::wait_for_end(instance.process.get(), milliseconds_until(deadline))) {
    (void)signal_first(paths, instance, SIGKILL);
    backend::wait_for_end(instance.process.get(), -1);
  }
  await_release(paths, instance.record);
}

}  // namespace

bool signal_first(const Paths& paths, const RunningInstance& instance, int number) {
  if (!send_to_first(paths, instance, number))
    return false;
  if (is_paused(instance.record) && (number == SIGKILL || number == stop_signal(instance.record)))
    resume(paths, instance.record);
  return true;
}

void await_release(const Paths& paths, const Record& record) {
  const std::string directory = run_root(paths) + "/" + record.id;
  try {
    const base::UniqueFd released = lock_directory(directory, LockKind::kShared);
  } catch (const base::Error& error) {
    if (error.errno_value() != ENOENT)  // it has gone already
      throw;
  }
}

void kill_instance(const Paths& paths, const std::string& reference, int number) {
  const RunningInstance instance = open_to_end(find_instance(paths, reference));
  if (!instance.process || !signal_first(paths, instance, number))
    throw base::Error("cannot kill " + reference + ": it is not running");
  if (number != SIGKILL)
    return;
  backend::wait_for_end(instance.process.get(), -1);
  await_release(paths, instance.record);
}

void stop_instances(const Paths& paths, const std::vector<std::string>& references,
                    std::optional<std::chrono::seconds> patience,
                    const std::function<void(const std::string&, const base::Error*)>& report) {
  struct Stopping {
    std::string reference;
    RunningInstance instance;
  };
  std::vector<Stopping> stopping;
  for (const auto& reference : references) {
    try {
      Stopping one{reference, open_to_end(find_instance(paths, reference))};
      if (one.instance.process && signal_first(paths, one.instance, stop_signal(one.instance.record)))
        stopping.push_back(std::move(one));
      else
        report(reference, nullptr);
    } catch (const base::Error& error) {
      report(reference, &error);
    }
  }
  const auto deadline = patience ? std::optional(Clock::now() + *patience) : std::nullopt;
  for (const auto& one : stopping) {
    try {
      finish_stop(paths, one.instance, deadline);
      report(one.reference, nullptr);
    } catch (const base::Error& error) {
      report(one.reference, &error);
    }
  }
}

AwaitedEnd::AwaitedEnd(const Paths& paths, const std::string& reference)
    : paths_(paths), record_(find_instance(paths, reference)) {
  if (!record_.exit_code)
    process_.reset(::open(process_file(paths, record_.id).c_str(), O_RDONLY | O_CLOEXEC));
}

int AwaitedEnd::wait() {
  if (record_.exit_code)
    return *record_.exit_code;
  if (record_.status == Record().status)
    return 0;  // it was never started: as in Docker
  await_release(paths_, record_);
  if (const auto code = written_exit_code(process_.get()))
    return *code;
  // Its trine was killed, and it with it: what is left of it is to be cleared away, and may be by now.
  repair(paths_);
  try {
    return find_instance(paths_, record_.id).exit_code.value_or(kKilled);
  } catch (const base::Error&) {
    return kKilled;
  }
}

}  // namespace trine::runtime::engine
