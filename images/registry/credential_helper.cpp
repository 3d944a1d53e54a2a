#include "credential_helper.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

extern char** environ;

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxOutput = 64 << 10;
constexpr const char* kTokenUser =
    "<token>";  ///< by which a helper says that the secret is an identity token

struct Answer {
  int code = 0;
  std::string output;
};

std::string program_name(const std::string& helper) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (helper.empty() || helper.find_first_not_of(kAllowed) != std::string::npos)
    throw base::Error("'" + helper + "' is no name of a credential helper");
  return "docker-credential-" + helper;
}

/// One socket is the program's input and output: what it is told is small enough to be buffered whole.
Answer run(const std::string& helper, const char* verb, const std::string& input) {
  const std::vector<std::string> words{program_name(helper), verb};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    base::throw_errno("cannot make a socket");
  const base::UniqueFd ours(ends[0]);
  base::UniqueFd theirs(ends[1]);
  const auto argv = base::to_argv(words);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw base::Error("cannot run " + words[0], error,
                      "auth.json names it for this registry: install it, or take it out there");
  }
  theirs.reset();
  Answer answer;
  // A helper that ends without reading has its reason in its output.
  (void)::send(ours.get(), input.data(), input.size(), MSG_NOSIGNAL);
  ::shutdown(ours.get(), SHUT_WR);
  try {
    answer.output = base::read_all(ours.get(), "the output of " + words[0], kMaxOutput);
  } catch (const base::Error&) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw;
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return answer;
}

[[noreturn]] void fail(const std::string& helper, const char* verb, const Answer& answer) {
  std::string reason = answer.output.substr(0, answer.output.find('\n'));
  if (reason.empty())
    reason = "exit code " + std::to_string(answer.code);
  throw base::Error(program_name(helper) + " " + verb + " failed: " + reason);
}

}  // namespace

std::optional<Credentials> helper_get(const std::string& helper, const std::string& server) {
  const Answer answer = run(helper, "get", server + "\n");
  if (answer.code != 0) {
    if (answer.output.find("credentials not found") != std::string::npos)
      return std::nullopt;
    fail(helper, "get", answer);
  }
  const Json json = Json::parse(answer.output, nullptr, false);
  if (!json.is_object() || !json.value("Username", Json()).is_string() ||
      !json.value("Secret", Json()).is_string())
    throw base::Error(program_name(helper) + " get printed no Username and Secret");
  Credentials credentials{.user = json["Username"], .password = json["Secret"], .identity_token = {}};
  if (credentials.user == kTokenUser)
    credentials = {.user = {}, .password = {}, .identity_token = credentials.password};
  return credentials;
}

void helper_store(const std::string& helper, const std::string& server, const Credentials& credentials) {
  const Json json{{"ServerURL", server}, {"Username", credentials.user}, {"Secret", credentials.password}};
  const Answer answer = run(helper, "store", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (answer.code != 0)
    fail(helper, "store", answer);
}

void helper_erase(const std::string& helper, const std::string& server) {
  const Answer answer = run(helper, "erase", server + "\n");
  if (answer.code != 0)
    fail(helper, "erase", answer);
}

}  // namespace trine::images
