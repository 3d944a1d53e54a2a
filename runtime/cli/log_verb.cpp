#include "log_verb.h"

#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "flags.h"
#include "run_values.h"
#include "runtime/engine/logs.h"
#include "time_values.h"

namespace trine::runtime::cli {
namespace {

using Text = const std::string&;

struct LogsOptions {
  engine::LogRequest request;
  bool timestamps = false;
};

std::string read_time(const char* flag, Text text) {
  const auto time = parse_time(text, base::now());
  if (!time)
    refuse(flag, text, "it is no time",
           "as in 2026-11-22T10:00:00Z, 1763800000 or 10m, which is ten minutes ago");
  return base::rfc3339(*time);
}

const Flag<LogsOptions> kFlags[] = {
    {{"-f,--follow", nullptr, "Flags", "go on until the instance ends"},
     [](LogsOptions& o, Text v) { o.request.follow = is_on(v); }},
    {{"--since", "TIME", "Flags", "what was written then and later: a time, or how long ago, as in 10m"},
     [](LogsOptions& o, Text v) { o.request.since = read_time("--since", v); }},
    {{"--until", "TIME", "Flags", "what was written before that"},
     [](LogsOptions& o, Text v) { o.request.until = read_time("--until", v); }},
    {{"-n,--tail", "NUMBER", "Flags", "the last lines only; all for all"},
     [](LogsOptions& o, Text v) {
       o.request.tail = base::parse_unsigned(v);
       if (!o.request.tail && v != "all" && v != "-1")
         refuse("--tail", v, "it is no number of lines", "a number, or all");
     }},
    {{"-t,--timestamps", nullptr, "Flags", "when it was written, before each line"},
     [](LogsOptions& o, Text v) { o.timestamps = is_on(v); }},
};

/// Each stream to its own of ours; a time stands where a line begins.
class Printer {
 public:
  explicit Printer(bool timestamps) : timestamps_(timestamps) {}

  void print(const engine::LogLine& line) {
    bool& begins = begins_[line.is_error ? 1 : 0];
    std::string text;
    if (timestamps_ && begins)
      text.append(line.time).append(" ");
    text += line.text;
    if (line.is_whole)
      text += '\n';
    begins = line.is_whole;
    if (line.is_error)
      base::write_all(STDERR_FILENO, text, "the standard error");
    else
      base::write_all(STDOUT_FILENO, text, "the standard output");
  }

 private:
  bool timestamps_;
  bool begins_[2]{true, true};
};

}  // namespace

std::vector<FlagText> logs_flag_texts() {
  return flag_texts(kFlags);
}

int run_logs(const engine::Paths& paths, std::vector<std::string> arguments) {
  LogsOptions options;
  const auto references = parse_flags("logs", kFlags, std::move(arguments), options);
  if (references.size() != 1)
    throw base::Error("trine logs needs one instance", 0, "trine ps -a lists them");
  Printer printer(options.timestamps);
  engine::read_logs(paths, references.front(), options.request,
                    [&](const engine::LogLine& line) { printer.print(line); });
  return 0;
}

}  // namespace trine::runtime::cli
