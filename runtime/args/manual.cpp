#include "runtime/args/manual.h"

namespace trine::runtime::args {

std::string roff(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line_start = i == 0 || text[i - 1] == '\n';
    if (line_start && (text[i] == '.' || text[i] == '\''))
      result += "\\&";
    if (text[i] == '\\') {
      result += "\\e";
    } else if (text[i] == '-') {
      result += "\\-";
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string manual_heading(const std::string& name, const std::string& summary) {
  return ".TH " + name + " 1 \"\" \"trine " TRINE_VERSION "\" \"trine\"\n.SH NAME\n" + roff(name) + " \\- " +
         roff(summary) + "\n";
}

std::string manual_entry(const FlagText& flag) {
  return ".TP\n.B " + roff(flag.names) + (flag.value != nullptr ? " " + roff(flag.value) : "") + "\n" +
         roff(flag.help) + "\n";
}

}  // namespace trine::runtime::args
