#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "pull.h"

/// trine-registry: the part of trine that talks to registries. A program of its own, so that nothing else
/// loads an HTTP and a TLS library.
///
///   trine-registry --store=DIR --mounts=DIR pull [OPTION]... NAME
///
/// prints the manifest's digest and the image's name, separated by a blank.
namespace {

namespace images = trine::images;
using trine::base::Error;

struct Arguments {
  std::string verb;
  std::vector<std::string> names;
  images::PullOptions pull;
  std::string mounts;  ///< where layers are mounted
};

unsigned number(const std::string& name, const std::string& value) {
  constexpr unsigned kMost = 100'000;
  const auto parsed = trine::base::parse_unsigned(value);
  if (!parsed || *parsed > kMost)
    throw Error(name + " '" + value + "' is no number");
  return static_cast<unsigned>(*parsed);
}

using Setter = void (*)(Arguments&, const std::string& value);
const std::map<std::string, Setter> kOptions{
    {"--store", [](Arguments& a, const std::string& v) { a.pull.store = v; }},
    {"--mounts", [](Arguments& a, const std::string& v) { a.mounts = v; }},
    {"--platform", [](Arguments& a, const std::string& v) { a.pull.platform = images::parse_platform(v); }},
    {"--progress", [](Arguments& a, const std::string& v) { a.pull.progress = images::parse_progress(v); }},
    {"--tls-verify", [](Arguments& a, const std::string& v) { a.pull.client.verify = v != "false"; }},
    {"--cert-dir", [](Arguments& a, const std::string& v) { a.pull.client.certificates = v; }},
    {"--authfile", [](Arguments& a, const std::string& v) { a.pull.client.auth_file = v; }},
    {"--retry", [](Arguments& a, const std::string& v) { a.pull.client.retries = number("--retry", v); }},
    {"--timeout",
     [](Arguments& a, const std::string& v) { a.pull.client.stall_seconds = number("--timeout", v); }},
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  bool options = true;  // up to "--"
  for (const auto& word : words) {
    if (options && word == "--") {
      options = false;
      continue;
    }
    if (!options || !word.starts_with("--")) {
      (arguments.verb.empty() ? arguments.verb : arguments.names.emplace_back()) = word;
      continue;
    }
    const auto equals = word.find('=');
    const auto option = kOptions.find(word.substr(0, equals));
    if (option == kOptions.end() || equals == std::string::npos)
      throw Error("trine-registry has no option " + word);
    option->second(arguments, word.substr(equals + 1));
  }
  return arguments;
}

void run_pull(const Arguments& arguments) {
  for (const auto& name : arguments.names) {
    const auto pulled = images::pull(arguments.pull, name);
    trine::base::write_all(STDOUT_FILENO, pulled.digest + " " + pulled.name + "\n", "the standard output");
  }
}

const std::map<std::string, void (*)(const Arguments&)> kVerbs{{"pull", run_pull}};

}  // namespace

int main(int count, char** words) {
  ::umask(0);
  try {
    const Arguments arguments = parse({words + 1, words + count});
    const auto verb = kVerbs.find(arguments.verb);
    if (verb == kVerbs.end() || arguments.pull.store.empty())
      throw Error("usage: trine-registry --store=DIR --mounts=DIR pull [OPTION]... NAME");
    verb->second(arguments);
    return 0;
  } catch (const Error& error) {
    trine::base::print_error(error);
  } catch (const std::exception& error) {
    trine::base::print_error(error.what());
  }
  return 125;
}
