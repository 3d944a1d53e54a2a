#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace trine::images {

/// How a transfer is shown on standard error.
enum class ProgressStyle {
  kNone,
  kPlain,  ///< a line for each blob that is done
  kLive,   ///< a line for each blob, drawn anew as it goes on
};

/// "auto" (live on a terminal), "plain", "tty" or "none". Throws Error for another word.
ProgressStyle parse_progress(const std::string& word);

/// One blob as the display sees it.
struct ProgressLine {
  std::string name;  ///< "layer 3f5a…"
  std::uint64_t size = 0;
  std::uint64_t done = 0;
  std::string state;   ///< "fetching", "unpacking", "there already"
  bool ended = false;  ///< its state is the last
};

class Progress {
 public:
  explicit Progress(ProgressStyle style);

  /// Shows what has changed; cheap enough to be called often.
  void show(const std::vector<ProgressLine>& lines);
  /// The last picture stays.
  void finish(const std::vector<ProgressLine>& lines);

 private:
  struct Rate {
    std::uint64_t done = 0;
    double bytes_a_second = 0;
    bool printed = false;
  };
  void draw(const std::vector<ProgressLine>& lines, double seconds);
  void print_ended(const std::vector<ProgressLine>& lines);

  ProgressStyle style_;
  bool colour_;
  std::size_t drawn_ = 0;
  std::vector<Rate> rates_;
  std::chrono::steady_clock::time_point last_;
};

/// "12.3MB"
std::string human_bytes(std::uint64_t bytes);

}  // namespace trine::images
