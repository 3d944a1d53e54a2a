#include "runtime/engine/logs.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/time.h"
#include "layout.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

/// Gives whole lines of a file that may grow; what stands behind the last newline waits.
class LineReader {
 public:
  explicit LineReader(base::UniqueFd file) : file_(std::move(file)) {}

  void read(const std::function<void(std::string_view)>& on_line) {
    std::array<char, 65536> bytes;
    for (;;) {
      const ssize_t size = ::read(file_.get(), bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR)
        continue;
      if (size < 0)
        base::throw_errno("cannot read the log");
      if (size == 0)
        return;
      rest_.append(bytes.data(), static_cast<std::size_t>(size));
      std::size_t begin = 0;
      for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
        on_line(std::string_view(rest_).substr(begin, end - begin));
      rest_.erase(0, begin);
    }
  }

  [[nodiscard]] ino_t inode() const {
    struct stat status{};
    return ::fstat(file_.get(), &status) == 0 ? status.st_ino : 0;
  }

 private:
  base::UniqueFd file_;
  std::string rest_;
};

base::UniqueFd try_open(const std::string& path) {
  return base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

/// The newest is the last. One that is rotated away while this opens them is missed, not read twice.
std::vector<LineReader> open_files(const std::string& path) {
  std::deque<base::UniqueFd> files;
  for (unsigned number = 0;; ++number) {
    base::UniqueFd file = try_open(number == 0 ? path : path + "." + std::to_string(number));
    if (!file)
      break;
    files.push_front(std::move(file));
  }
  std::vector<LineReader> readers;
  readers.reserve(files.size());
  for (auto& file : files)
    readers.emplace_back(std::move(file));
  return readers;
}

/// Lines as they are wanted, held back while only the last of them are.
class Selection {
 public:
  Selection(const LogRequest& request, const std::function<void(const LogLine&)>& on_line)
      : request_(request), on_line_(on_line) {}

  void take(std::string_view text) {
    const auto line = parse_log_line(text);
    if (!line || line->time < request_.since)
      return;
    if (!request_.until.empty() && line->time > request_.until) {
      over_ = true;
      return;
    }
    if (!request_.tail || caught_up_)
      return on_line_(*line);
    kept_.emplace_back(text);
    whole_ += line->is_whole ? 1 : 0;
    // A last line without a newline is one too.
    while (whole_ + (line->is_whole ? 0 : 1) > *request_.tail && !kept_.empty()) {
      whole_ -= parse_log_line(kept_.front())->is_whole ? 1 : 0;
      kept_.pop_front();
    }
  }

  /// What comes now is new.
  void catch_up() {
    for (const auto& text : kept_)
      on_line_(*parse_log_line(text));
    kept_.clear();
    caught_up_ = true;
  }

  [[nodiscard]] bool is_over() const { return over_; }

 private:
  const LogRequest& request_;
  const std::function<void(const LogLine&)>& on_line_;
  std::deque<std::string> kept_;
  std::uint64_t whole_ = 0;
  bool caught_up_ = false;
  bool over_ = false;
};

/// Tells of each change of the log's directory.
base::UniqueFd watch(const std::string& directory) {
  base::UniqueFd watcher(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watcher ||
      ::inotify_add_watch(watcher.get(), directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
    base::throw_errno("cannot follow the log in " + directory);
  return watcher;
}

void forget_events(int watcher) {
  std::array<char, 4096> events;
  while (::read(watcher, events.data(), events.size()) > 0) {
  }
}

/// What was written to a file before it was rotated away comes first.
void read_on(LineReader& reader, const std::string& path, Selection& selection) {
  const auto take = [&](std::string_view line) { selection.take(line); };
  reader.read(take);
  base::UniqueFd file = try_open(path);
  if (!file)
    return;
  LineReader newest(std::move(file));
  if (newest.inode() == reader.inode())
    return;
  reader = std::move(newest);
  reader.read(take);
}

int milliseconds_until(const std::string& end) {
  if (end.empty())
    return -1;
  constexpr int kLookMs = 200;  // the end is a time of day, which may be set
  return kLookMs;
}

}  // namespace

std::optional<LogLine> parse_log_line(std::string_view line) {
  LogLine parsed;
  const std::size_t time_end = line.find(' ');
  if (time_end == std::string_view::npos)
    return std::nullopt;
  parsed.time = line.substr(0, time_end);
  std::string_view rest = line.substr(time_end + 1);
  if (!rest.starts_with("stdout ") && !rest.starts_with("stderr "))
    return std::nullopt;
  parsed.is_error = rest.starts_with("stderr ");
  rest.remove_prefix(7);
  if (!rest.starts_with("F ") && !rest.starts_with("P "))
    return std::nullopt;
  parsed.is_whole = rest.front() == 'F';
  parsed.text = rest.substr(2);
  return parsed;
}

void read_logs(const Paths& paths, const std::string& reference, const LogRequest& request,
               const std::function<void(const LogLine&)>& on_line) {
  const RunningInstance instance = open_instance(find_instance(paths, reference));
  const std::string path = log_file(paths, instance.record.id);
  // Before the files are opened: no change is missed.
  const base::UniqueFd watcher =
      request.follow && instance.process ? watch(path.substr(0, path.rfind('/'))) : base::UniqueFd();
  std::vector<LineReader> readers = open_files(path);
  if (readers.empty())
    throw base::Error("there is no log of " + reference, ENOENT,
                      "what runs in the foreground writes to its terminal; trine run -d keeps a log");
  Selection selection(request, on_line);
  for (LineReader& reader : readers)
    reader.read([&](std::string_view line) { selection.take(line); });
  selection.catch_up();
  if (!watcher)
    return;
  LineReader& reader = readers.back();
  for (bool runs = true; runs && !selection.is_over();) {
    std::array<pollfd, 2> waits{pollfd{.fd = watcher.get(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = instance.process.get(), .events = POLLIN, .revents = 0}};
    if (::poll(waits.data(), waits.size(), milliseconds_until(request.until)) < 0 && errno != EINTR)
      base::throw_errno("cannot wait for the log");
    forget_events(watcher.get());
    if (waits[1].revents != 0) {
      await_release(paths, instance.record);  // its supervisor writes down what is left
      runs = false;
    }
    if (!request.until.empty() && base::now_utc() > request.until)
      runs = false;
    read_on(reader, path, selection);
  }
}

}  // namespace trine::runtime::engine
