#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "runtime/args/manual.h"
#include "verb.h"

namespace trine::runtime::cli {
namespace {

constexpr std::size_t kColumn = 34;

std::string flag_column(const FlagText& flag) {
  std::string text = flag.names;
  const auto comma = text.find(',');
  text = comma == std::string::npos ? "    " + text : text.substr(0, comma) + ", " + text.substr(comma + 1);
  if (flag.value != nullptr)
    text += std::string(" ") + flag.value;
  return text;
}

std::vector<std::string> groups(const std::vector<FlagText>& flags) {
  std::vector<std::string> names;
  for (const auto& flag : flags) {
    if (std::ranges::find(names, flag.group) == names.end())
      names.emplace_back(flag.group);
  }
  return names;
}

std::string indent(const std::string& text, const char* by) {
  std::string result;
  for (const auto& line : base::split(text, '\n', base::SplitEmpty::kSkip))
    result += by + line + "\n";
  return result;
}

std::string verb_page(const Verb& verb) {
  std::string page = args::manual_heading(std::string("trine-") + verb.name, verb.summary);
  page += std::string(".SH SYNOPSIS\n.B trine ") + verb.name + "\n" + args::roff(verb.synopsis) + "\n";
  page += ".SH DESCRIPTION\n" + args::roff(verb.details) + "\n";
  const auto flags = verb.flags();
  if (!flags.empty())
    page += ".SH OPTIONS\n";
  for (const auto& group : groups(flags)) {
    page += ".SS " + group + "\n";
    for (const auto& flag : flags) {
      if (group != flag.group)
        continue;
      page += args::manual_entry(flag);
    }
  }
  page += ".SH EXAMPLES\n.nf\n" + args::roff(verb.examples) + "\n.fi\n";
  return page + ".SH SEE ALSO\n.BR trine (1)\n";
}

std::string overview_page() {
  std::string page = args::manual_heading("trine", "run isolated instances from OCI images");
  page += ".SH SYNOPSIS\n.B trine\n[\\-\\-root DIR] VERB [FLAG]... [ARGUMENT]...\n.SH VERBS\n";
  for (const auto& verb : verbs()) {
    page += std::string(".TP\n.B ") + verb.name + "\n" + args::roff(verb.summary) + "\n";
  }
  return page +
         ".SH EXIT STATUS\n125 when trine itself fails, 126 when the program cannot be executed, 127 when it "
         "is not "
         "found, else the program's own; 128 plus its number for a signal.\n"
         ".SH FILES\n/run/trine and /var/lib/trine; for an unprivileged user $XDG_RUNTIME_DIR/trine and "
         "$XDG_DATA_HOME/trine.\n";
}

}  // namespace

std::string help_text(const Verb& verb) {
  std::string text = std::string("Usage: trine ") + verb.name + " " + verb.synopsis + "\n\n" + verb.details +
                     "\n\nExamples:\n" + indent(verb.examples, "  ");
  const auto flags = verb.flags();
  for (const auto& group : groups(flags)) {
    text += "\n" + group + ":\n";
    for (const auto& flag : flags) {
      if (group != flag.group)
        continue;
      std::string line = "  " + flag_column(flag);
      line +=
          line.size() < kColumn ? std::string(kColumn - line.size(), ' ') : "\n" + std::string(kColumn, ' ');
      text += line + flag.help + "\n";
    }
  }
  return text;
}

std::string overview_text() {
  std::string text =
      "Usage: trine [--root DIR] VERB [FLAG]... [ARGUMENT]...\n\nRuns isolated instances from OCI "
      "images.\n\nVerbs:\n";
  for (const auto& verb : verbs()) {
    std::string line = std::string("  ") + verb.name;
    line.resize(12, ' ');
    text += line + verb.summary + "\n";
  }
  return text +
         "\nFlags:\n  --root DIR  keep state below DIR, not in /run/trine and /var/lib/trine\n  --version   "
         "print the "
         "version\n  --help      print this, or with a verb what it takes\n\nExamples:\n  trine run --rm -it "
         "debian "
         "sh\n  trine load docker-archive:web.tar\n";
}

std::string man_page(std::string_view name) {
  return name.empty() ? overview_page() : verb_page(find_verb(name));
}

void print(const std::string& text) {
  base::write_all(STDOUT_FILENO, text, "the standard output");
}

}  // namespace trine::runtime::cli
