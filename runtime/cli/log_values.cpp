#include "log_values.h"

#include "base/text.h"
#include "run_values.h"

namespace trine::runtime::cli {

void set_log_driver(engine::RunOptions& options, const std::string& text) {
  if (text != "k8s-file" && text != "none")
    refuse("--log-driver", text, "there is no such driver", "k8s-file (default) or none");
  options.log.is_kept = text == "k8s-file";
}

void set_log_option(engine::RunOptions& options, const std::string& text) {
  constexpr std::uint64_t kLeastBytes = 4096;  // an entry fits
  constexpr std::uint64_t kMostFiles = 1000;
  const auto equals = std::min(text.find('='), text.size());
  const std::string name = text.substr(0, equals);
  const std::string value = text.substr(std::min(equals + 1, text.size()));
  if (name == "max-size") {
    const auto bytes = base::parse_size(value);
    if (!bytes || *bytes < kLeastBytes)
      refuse("--log-opt", text, "that is no size of a log", "4k or more, as in max-size=10m");
    options.log.most_bytes = *bytes;
  } else if (name == "max-file") {
    const auto files = base::parse_unsigned(value);
    if (!files || *files == 0 || *files > kMostFiles)
      refuse("--log-opt", text, "that is no number of files", "1 to 1000, as in max-file=3");
    options.log.files = static_cast<unsigned>(*files);
  } else {
    refuse("--log-opt", text, "there is no such option", "max-size=SIZE or max-file=NUMBER");
  }
}

}  // namespace trine::runtime::cli
