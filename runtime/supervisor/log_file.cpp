#include "log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/time.h"

namespace trine::runtime::supervisor {

LogFile::LogFile(LogOptions options) : options_(std::move(options)) {
  open();
}

void LogFile::open() {
  file_ = base::open_file(options_.path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  struct stat status{};
  size_ = ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// Who follows the log sees the new file's inode. A file that cannot be renamed grows on.
void LogFile::rotate() {
  const auto name = [&](unsigned number) {
    return number == 0 ? options_.path : options_.path + "." + std::to_string(number);
  };
  for (unsigned number = options_.files - 1; number > 0; --number)
    (void)::rename(name(number - 1).c_str(), name(number).c_str());
  if (options_.files == 1)
    ::unlink(options_.path.c_str());
  try {
    open();
  } catch (const base::Error&) {
    size_ = 0;  // the old one is still open
  }
}

void LogFile::add_line(std::string_view stream, std::string_view text, bool is_whole) {
  entry_.append(base::now_utc()).append(" ").append(stream).append(is_whole ? " F " : " P ").append(text);
  entry_ += '\n';
}

bool LogFile::write(std::string_view text) {
  const off_t before = ::lseek(file_.get(), 0, SEEK_END);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      // No half line: the next one would be read as its end.
      (void)!::ftruncate(file_.get(), before);
      return false;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  size_ += text.size();
  return true;
}

void LogFile::append(std::string_view stream, std::string_view bytes) {
  entry_.clear();
  if (lost_bytes_ > 0)
    add_line("stderr", "trine: " + std::to_string(lost_bytes_) + " bytes of output could not be logged",
             true);
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const bool is_whole = end != std::string_view::npos;
    add_line(stream, rest.substr(0, end), is_whole);
    rest.remove_prefix(is_whole ? end + 1 : rest.size());
  }
  if (options_.most_bytes > 0 && size_ > 0 && size_ + entry_.size() > options_.most_bytes)
    rotate();
  if (write(entry_))
    lost_bytes_ = 0;
  else
    lost_bytes_ += bytes.size();
}

}  // namespace trine::runtime::supervisor
