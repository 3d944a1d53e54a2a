#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"

namespace trine::images {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::size_t kBar = 16;
constexpr double kOldWeight = 0.8;  ///< of the rate so far against what the last interval says

std::size_t terminal_width() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

bool is_live_terminal() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

void write(const std::string& text) {
  // Standard error may be closed; the transfer goes on all the same.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string bar(const ProgressLine& line) {
  const auto filled = line.size == 0 ? kBar : static_cast<std::size_t>(kBar * line.done / line.size);
  return "[" + std::string(filled, '#') + std::string(kBar - filled, '.') + "]";
}

std::string time_left(std::uint64_t bytes, double rate) {
  constexpr std::uint64_t kMinute = 60;
  constexpr std::uint64_t kMost = 99 * kMinute;
  if (rate < 1)
    return "";
  const auto seconds = static_cast<std::uint64_t>(static_cast<double>(bytes) / rate) + 1;
  if (seconds > kMost)
    return "";
  return seconds < kMinute
             ? std::to_string(seconds) + "s left"
             : std::to_string(seconds / kMinute) + "m" + std::to_string(seconds % kMinute) + "s left";
}

}  // namespace

ProgressStyle parse_progress(const std::string& word) {
  if (word == "auto")
    return is_live_terminal() ? ProgressStyle::kLive : ProgressStyle::kPlain;
  if (word == "plain")
    return ProgressStyle::kPlain;
  if (word == "tty")
    return ProgressStyle::kLive;
  if (word == "none")
    return ProgressStyle::kNone;
  throw base::Error("--progress '" + word + "' is unknown", 0, "auto, plain, tty or none");
}

Progress::Progress(ProgressStyle style) : style_(style) {
  const char* no_colour = std::getenv("NO_COLOR");  // https://no-color.org: when it is there and not empty
  colour_ = no_colour == nullptr || *no_colour == '\0';
}

void Progress::show(const std::vector<ProgressLine>& lines) {
  const auto now = Clock::now();
  if (style_ == ProgressStyle::kNone || (!rates_.empty() && now - last_ < kInterval))
    return;
  const double seconds = rates_.empty() ? 0 : std::chrono::duration<double>(now - last_).count();
  last_ = now;
  rates_.resize(lines.size());
  if (style_ == ProgressStyle::kLive)
    draw(lines, seconds);
  else
    print_ended(lines);
}

void Progress::finish(const std::vector<ProgressLine>& lines) {
  rates_.resize(lines.size());
  if (style_ == ProgressStyle::kLive)
    draw(lines, 0);
  else if (style_ == ProgressStyle::kPlain)
    print_ended(lines);
}

void Progress::print_ended(const std::vector<ProgressLine>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].ended || rates_[i].printed)
      continue;
    rates_[i].printed = true;
    write(lines[i].name + " " + human_bytes(lines[i].size) + " " + lines[i].state + "\n");
  }
}

void Progress::draw(const std::vector<ProgressLine>& lines, double seconds) {
  const std::size_t width = terminal_width();
  std::string text = drawn_ > 0 ? "\x1b[" + std::to_string(drawn_) + "A" : "";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const ProgressLine& line = lines[i];
    Rate& rate = rates_[i];
    const std::uint64_t fresh = line.done > rate.done ? line.done - rate.done : 0;
    if (seconds > 0)
      rate.bytes_a_second =
          kOldWeight * rate.bytes_a_second + (1 - kOldWeight) * static_cast<double>(fresh) / seconds;
    rate.done = line.done;
    std::string row =
        line.name + " " + bar(line) + " " + human_bytes(line.done) + "/" + human_bytes(line.size);
    if (!line.ended && line.done < line.size)
      row += " " + human_bytes(static_cast<std::uint64_t>(rate.bytes_a_second)) + "/s " +
             time_left(line.size - line.done, rate.bytes_a_second);
    row += " " + line.state;
    row.resize(std::min(row.size(), width - 1));  // a line that wraps would be two to go up
    const bool green = colour_ && line.ended;
    text += (green ? "\x1b[32m" : "") + row + (green ? "\x1b[0m" : "") + "\x1b[K\n";
  }
  drawn_ = lines.size();
  write(text);
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  constexpr double kStep = 1000;
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= kStep && unit + 1 < kUnits.size(); ++unit)
    value /= kStep;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f%s" : "%.3g%s", value, kUnits[unit]);
  return text.data();
}

}  // namespace trine::images
