#include "login.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "reference/registries.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxAnswer = 64 << 10;

/// A terminal that does not show what is typed, for as long as this lives.
class HiddenInput {
 public:
  explicit HiddenInput(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &before_) != 0)
      return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(terminal, TCSAFLUSH, &hidden) == 0;
  }
  ~HiddenInput() {
    if (changed_)
      ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  int terminal_;
  termios before_{};
  bool changed_ = false;
};

std::string ask(const std::string& question) {
  const base::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!terminal)
    throw base::Error("there is no terminal to ask for the " + question, 0,
                      "give --username and --password-stdin");
  base::write_all(terminal.get(), question + ": ", "the terminal");
  std::string answer;
  for (char c = 0; answer.size() < kMaxAnswer && ::read(terminal.get(), &c, 1) == 1 && c != '\n';)
    answer += c;
  return answer;
}

std::string ask_hidden(const std::string& question) {
  const base::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  const HiddenInput hidden(terminal.get());
  std::string answer = ask(question);
  if (terminal)
    base::write_all(terminal.get(), "\n", "the terminal");
  return answer;
}

std::string read_password() {
  std::string password = base::read_all(STDIN_FILENO, "the password", kMaxAnswer);
  while (password.ends_with('\n') || password.ends_with('\r'))
    password.pop_back();
  return password;
}

/// A registry's name is a reference's host: checked by the same parser.
std::string registry_host(const std::string& registry) {
  std::string name = registry;
  for (const char* scheme : {"https://", "http://"}) {
    if (name.starts_with(scheme))
      name.erase(0, std::string_view(scheme).size());
  }
  while (name.ends_with('/'))
    name.pop_back();
  // "localhost" and "host:5000" are hosts before a slash; "host" alone is none.
  const Reference reference = parse_reference(name + "/x");
  if (name.find('/') != std::string::npos || reference.short_name)
    throw base::Error("'" + registry.substr(0, 200) + "' is no registry", 0, "a registry is HOST[:PORT]");
  return reference.domain;
}

}  // namespace

std::string login(const LoginOptions& options, const std::string& registry) {
  const std::string host = registry_host(registry);
  Credentials credentials{.user = options.user, .password = options.password, .identity_token = {}};
  if (credentials.user.empty())
    credentials.user = ask("user name");
  if (options.password_from_input)
    credentials.password = read_password();
  else if (credentials.password.empty())
    credentials.password = ask_hidden("password");
  if (credentials.user.empty() || credentials.password.empty())
    throw base::Error("cannot log in to " + host + ": user name and password must not be empty");
  if (credentials.user.find(':') != std::string::npos)
    throw base::Error("cannot log in to " + host + ": a user name has no colon");
  const Source place{.host = host, .repository = {}, .insecure = Registries::load().is_insecure(host)};
  Transfers transfers;
  Endpoint endpoint(transfers, place, options.client, Endpoint::Access::kNone);
  endpoint.use_credentials(credentials);
  endpoint.ping();
  const AuthFiles files(options.client.auth_file);
  files.store(host, credentials);
  return "logged in to " + host + ", kept in " + files.writable();
}

std::string logout(const ClientOptions& options, const std::string& registry) {
  const std::string host = registry_host(registry);
  if (!AuthFiles(options.auth_file).erase(host))
    throw base::Error("there are no credentials for " + host, 0, "trine login " + host + " keeps some");
  return "logged out of " + host;
}

}  // namespace trine::images
