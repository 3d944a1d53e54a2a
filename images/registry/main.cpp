#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "login.h"
#include "pull.h"
#include "push.h"

/// trine-registry: the part of trine that talks to registries. A program of its own, so that nothing else
/// loads an HTTP and a TLS library.
///
///   trine-registry --store=DIR --mounts=DIR pull [OPTION]... NAME...
///   trine-registry --store=DIR --mounts=DIR push [OPTION]... IMAGE [NAME]
///   trine-registry --store=DIR --mounts=DIR login|logout [OPTION]... [REGISTRY]
///
/// pull and push print the manifest's digest and the image's name, separated by a blank.
namespace {

namespace images = trine::images;
using trine::base::Error;

struct Arguments {
  std::string verb;
  std::vector<std::string> names;
  images::PullOptions pull;
  std::string mounts;  ///< where layers are mounted
  images::LoginOptions login;
};

unsigned number(const std::string& name, const std::string& value) {
  constexpr unsigned kMost = UINT_MAX;
  const auto parsed = trine::base::parse_unsigned(value);
  if (!parsed || *parsed > kMost)
    throw Error(name + " '" + value + "' is no number");
  return static_cast<unsigned>(*parsed);
}

using Setter = void (*)(Arguments&, const std::string& value);
const std::map<std::string, Setter> kOptions{
    {"--store", [](Arguments& a, const std::string& v) { a.pull.store = v; }},
    {"--mounts", [](Arguments& a, const std::string& v) { a.mounts = v; }},
    {"--username", [](Arguments& a, const std::string& v) { a.login.user = v; }},
    {"--password", [](Arguments& a, const std::string& v) { a.login.password = v; }},
    {"--password-stdin",
     [](Arguments& a, const std::string& v) { a.login.password_from_input = v != "false"; }},
    {"--platform", [](Arguments& a, const std::string& v) { a.pull.platform = images::parse_platform(v); }},
    {"--progress", [](Arguments& a, const std::string& v) { a.pull.progress = images::parse_progress(v); }},
    {"--tls-verify", [](Arguments& a, const std::string& v) { a.pull.client.verify = v != "false"; }},
    {"--cert-dir", [](Arguments& a, const std::string& v) { a.pull.client.certificates = v; }},
    {"--authfile", [](Arguments& a, const std::string& v) { a.pull.client.auth_file = v; }},
    {"--retry", [](Arguments& a, const std::string& v) { a.pull.client.retries = number("--retry", v); }},
    {"--jobs", [](Arguments& a, const std::string& v) { a.pull.client.streams = number("--jobs", v); }},
    {"--limit-rate",
     [](Arguments& a, const std::string& v) { a.pull.client.rate = number("--limit-rate", v); }},
    {"--timeout",
     [](Arguments& a, const std::string& v) { a.pull.client.stall_seconds = number("--timeout", v); }},
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  arguments.pull.progress = images::parse_progress("auto");
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

void run_push(const Arguments& arguments) {
  if (arguments.names.empty())
    throw Error("there is no image to push");
  const images::PushOptions options{.client = arguments.pull.client,
                                    .store = arguments.pull.store,
                                    .mounts = arguments.mounts,
                                    .progress = arguments.pull.progress};
  const auto pushed = images::push(options, arguments.names.front(), arguments.names.back());
  trine::base::write_all(STDOUT_FILENO, pushed.digest + " " + pushed.name + "\n", "the standard output");
}

std::string registry_of(const Arguments& arguments) {
  return arguments.names.empty() ? "docker.io" : arguments.names.front();
}

void run_login(const Arguments& arguments) {
  images::LoginOptions options = arguments.login;
  options.client = arguments.pull.client;
  trine::base::write_all(STDOUT_FILENO, images::login(options, registry_of(arguments)) + "\n",
                         "the standard output");
}

void run_logout(const Arguments& arguments) {
  trine::base::write_all(STDOUT_FILENO, images::logout(arguments.pull.client, registry_of(arguments)) + "\n",
                         "the standard output");
}

const std::map<std::string, void (*)(const Arguments&)> kVerbs{
    {"pull", run_pull}, {"push", run_push}, {"login", run_login}, {"logout", run_logout}};

}  // namespace

int main(int count, char** words) {
  ::umask(0);
  try {
    const Arguments arguments = parse({words + 1, words + count});
    const auto verb = kVerbs.find(arguments.verb);
    if (verb == kVerbs.end() || arguments.pull.store.empty())
      throw Error(
          "usage: trine-registry --store=DIR --mounts=DIR pull|push|login|logout [OPTION]... NAME...");
    verb->second(arguments);
    return 0;
  } catch (const Error& error) {
    trine::base::print_error(error);
  } catch (const std::exception& error) {
    trine::base::print_error(error.what());
  }
  return 125;
}
