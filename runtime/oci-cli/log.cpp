#include "log.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <cctype>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

namespace trine::runtime::oci_cli {
namespace {

/// Engines tell causes apart by texts as Go writes them: "permission denied", in small letters.
std::string lower_cause(std::string message, int errno_value) {
  if (errno_value == 0)
    return message;
  const std::string cause = base::errno_text(errno_value);
  const auto at = message.rfind(cause);
  if (at != std::string::npos)
    message[at] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[at])));
  return message;
}

}  // namespace

void report(const Globals& globals, const base::Error& original) {
  const base::Error error(lower_cause(original.what(), original.errno_value()), 0, original.hint());
  base::print_error(error);
  if (globals.log.empty())
    return;
  std::string message = error.what();
  if (!error.hint().empty())
    message += " (" + error.hint() + ")";
  std::string line = message;
  if (globals.json_log) {
    const nlohmann::ordered_json entry{{"level", "error"}, {"msg", message}, {"time", base::now_utc()}};
    line = entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  try {
    const base::UniqueFd file = base::open_file(globals.log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    base::write_all(file.get(), line + "\n", globals.log);
  } catch (const base::Error& failure) {
    base::print_error(failure);
  }
}

}  // namespace trine::runtime::oci_cli
