#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace trine::base {

ProcessInfo process_info(pid_t pid) {
  ProcessInfo info;
  try {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
    // The name, in parentheses, may hold anything: the fields are counted from behind it.
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos)
      return info;
    const auto fields = split(trim(text.substr(name_end + 1)), ' ');
    constexpr std::size_t kState = 0;
    constexpr std::size_t kStartTime = 19;  // field 22 of the whole
    if (fields.size() <= kStartTime)
      return info;
    info.start_time = parse_unsigned(fields[kStartTime]).value_or(0);
    info.ended = fields[kState] == "Z" || fields[kState] == "X";
  } catch (const Error&) {
    // It has ended.
  }
  return info;
}

}  // namespace trine::base
