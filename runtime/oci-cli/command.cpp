#include "command.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "runtime/args/manual.h"

namespace trine::runtime::oci_cli {
namespace {

std::vector<args::FlagText> no_flags() {
  return {};
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

std::string lines(const std::vector<args::FlagText>& flags) {
  std::string text;
  for (const auto& flag : flags) {
    const std::string value = flag.value != nullptr ? std::string(" ") + flag.value : "";
    text += "  " + padded(flag.names + value, 34) + flag.help + "\n";
  }
  return text;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> table{
      {"create", "[FLAG]... ID", "make a container and let it wait for start", create_flags, run_create},
      {"start", "ID", "execute the program of a created container", no_flags, run_start},
      {"run", "[FLAG]... ID", "create and start, and wait for its end", run_flags, run_run},
      {"state", "ID", "print its state", no_flags, run_state},
      {"kill", "[FLAG]... ID [SIGNAL]", "send a signal to it", kill_flags, run_kill},
      {"delete", "[FLAG]... ID...", "remove it", delete_flags, run_delete},
      {"exec", "[FLAG]... ID COMMAND...", "run a program in it", exec_flags, run_exec},
      {"list", "[FLAG]...", "list containers", list_flags, run_list},
      {"ps", "[FLAG]... ID [PS OPTION]...", "list its processes", ps_flags, run_ps},
      {"pause", "ID", "stop all its processes", no_flags, run_pause},
      {"resume", "ID", "let them go on", no_flags, run_resume},
      {"update", "[FLAG]... ID", "change its limits", update_flags, run_update},
      {"events", "[FLAG]... ID", "print figures and out-of-memory events", events_flags, run_events},
      {"mounts", "add ID SOURCE DESTINATION [OPTION,...] | add ID FILE | remove ID DESTINATION|FILE",
       "add bind mounts to a running container, and remove them", no_flags, run_mounts},
      {"spec", "[FLAG]...", "write an example config.json", spec_flags, run_spec},
      {"features", "", "tell what this runtime can do", no_flags, run_features},
      {"checkpoint", "[FLAG]... ID", "write its processes to disk", checkpoint_flags, run_checkpoint},
      {"restore", "[FLAG]... ID", "make it from what checkpoint wrote", restore_flags, run_restore},
  };
  return table;
}

const Command& find_command(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  if (found != commands().end())
    return *found;
  std::vector<std::string> known;
  for (const auto& command : commands())
    known.emplace_back(command.name);
  const std::string near = args::nearest(name, known);
  throw base::Error("trine-oci has no command " + std::string(name), 0,
                    near.empty() ? "trine-oci --help lists them" : "did you mean trine-oci " + near + "?");
}

std::string help_text(const Command& command) {
  const auto flags = command.flags();
  return std::string("trine-oci ") + command.name + " " + command.synopsis + "\n\n  " + command.summary +
         "\n" + (flags.empty() ? "" : "\nFlags:\n") + lines(flags);
}

std::string overview_text() {
  std::string text =
      "trine-oci [GLOBAL FLAG]... COMMAND [FLAG]... [ARGUMENT]...\n\n"
      "Runs containers from OCI runtime bundles, for podman, Docker, containerd, CRI-O and people.\n\n"
      "Global flags:\n" +
      lines(global_flag_texts()) + "\nCommands:\n";
  for (const auto& command : commands())
    text += "  " + padded(command.name, 14) + command.summary + "\n";
  return text + "\ntrine-oci COMMAND --help tells more.\n";
}

std::string man_page() {
  std::string page =
      args::manual_heading("trine-oci", "run containers from OCI runtime bundles") +
      ".SH SYNOPSIS\n.B trine\\-oci\n[GLOBAL FLAG]... COMMAND [FLAG]... [ARGUMENT]...\n"
      ".SH DESCRIPTION\nThe runtime that podman, Docker, containerd and CRI\\-O call, and people "
      "may. A bundle is a directory with a config.json and a root file system, as the OCI runtime "
      "specification has them.\n.SH GLOBAL FLAGS\n";
  for (const auto& flag : global_flag_texts())
    page += args::manual_entry(flag);
  page += ".SH COMMANDS\n";
  for (const auto& command : commands()) {
    const std::string summary = command.summary;
    page += std::string(".SS ") + command.name + " " + args::roff(command.synopsis) + "\n" +
            static_cast<char>(std::toupper(summary.front())) + args::roff(summary.substr(1)) + ".\n";
    for (const auto& flag : command.flags())
      page += args::manual_entry(flag);
  }
  return page +
         ".SH EXIT STATUS\nOf run and exec, the program's own; 128 plus its number for a signal; 126 when "
         "the program cannot be executed and 127 when it is not found. Else 1 when the command fails.\n"
         ".SH FILES\n/run/trine\\-oci; for an unprivileged user $XDG_RUNTIME_DIR/trine\\-oci.\n"
         ".SH EXAMPLES\n.nf\ntrine\\-oci spec\ntrine\\-oci run \\-\\-bundle . web\n"
         "podman \\-\\-runtime /usr/bin/trine\\-oci run debian true\n.fi\n.SH SEE ALSO\n.BR trine (1)\n";
}

args::ParsedFlags parse(const char* command, const std::vector<args::FlagText>& flags,
                        std::vector<std::string> arguments, std::size_t least, std::size_t most) {
  const std::string name = std::string("trine-oci ") + command;
  // As in runc, flags may stand behind the id, but where another program's words may follow it.
  const auto end = most == SIZE_MAX ? args::FlagsEnd::kFirstWord : args::FlagsEnd::kNever;
  args::ParsedFlags parsed = args::parse_words(name, flags, std::move(arguments), end);
  if (parsed.help) {
    print(help_text(find_command(command)));
    ::exit(0);
  }
  if (parsed.rest.size() < least || parsed.rest.size() > most) {
    throw base::Error(
        name + (parsed.rest.size() < least ? " needs more arguments" : " takes fewer arguments"), 0,
        name + " " + find_command(command).synopsis);
  }
  return parsed;
}

void print(const std::string& text) {
  base::write_all(STDOUT_FILENO, text, "the standard output");
}

}  // namespace trine::runtime::oci_cli
