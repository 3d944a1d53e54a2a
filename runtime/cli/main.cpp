#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "isolation/rootless.h"
#include "isolation/start.h"
#include "runtime/engine/run.h"
#include "verb.h"

namespace {

using trine::base::Error;
using trine::runtime::engine::Paths;
namespace cli = trine::runtime::cli;

/// A caller that closed them would have us open files in their place, and write messages into those.
void ensure_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0)
      (void)trine::base::open_file("/dev/null", O_RDWR).release();
  }
}

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value == '/' ? value : otherwise;
}

Paths default_paths() {
  if (!trine::isolation::is_rootless())
    return {.run = "/run/trine", .lib = "/var/lib/trine"};
  const std::string home = environment("HOME", "/");
  const std::string data = environment("XDG_DATA_HOME", home + "/.local/share");
  const std::string run = environment("XDG_RUNTIME_DIR", data + "/trine/run");
  return {.run = run == data + "/trine/run" ? run : run + "/trine", .lib = data + "/trine"};
}

/// What stands before the verb; takes it off `words`.
Paths parse_global(std::vector<std::string>& words) {
  Paths paths = default_paths();
  while (!words.empty() && words.front().starts_with("--root")) {
    const std::string word = words.front();
    words.erase(words.begin());
    std::string directory;
    if (word.starts_with("--root=")) {
      directory = word.substr(7);
    } else if (word == "--root" && !words.empty()) {
      directory = words.front();
      words.erase(words.begin());
    }
    if (!directory.starts_with('/'))
      throw Error("--root '" + directory + "' is not an absolute path");
    paths = {.run = directory + "/run", .lib = directory + "/lib"};
  }
  return paths;
}

int dispatch(std::vector<std::string> words) {
  const Paths paths = parse_global(words);
  const std::string verb = words.empty() ? "--help" : words.front();
  if (!words.empty())
    words.erase(words.begin());
  if (verb == "--version" || verb == "version") {
    cli::print("trine " TRINE_VERSION "\n");
    return 0;
  }
  if (verb == "--help" || verb == "-h" || verb == "help") {
    cli::print(words.empty() ? cli::overview_text() : cli::help_text(cli::find_verb(words.front())));
    return 0;
  }
  if (verb == "__man") {  // for the build, which installs the pages
    cli::print(cli::man_page(words.empty() ? "" : words.front()));
    return 0;
  }
  if (verb == "__ended" && words.size() == 5) {  // for trine-supervisor
    trine::runtime::engine::end_in_background(
        {.run = words[0], .lib = words[1]}, words[2], words[3],
        static_cast<int>(trine::base::parse_unsigned(words[4]).value_or(125)));
    return 0;
  }
  return cli::find_verb(verb).run(paths, std::move(words));
}

}  // namespace

int main(int count, char** arguments) {
  trine::isolation::run_sealed_exec(count, arguments);
  return trine::runtime::engine::run_reporting([&] {
    ensure_standard_descriptors();
    return dispatch({arguments + 1, arguments + count});
  });
}
