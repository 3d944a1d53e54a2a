#include "run_values.h"

#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "images/platform.h"
#include "isolation/capabilities.h"
#include "isolation/signals.h"

namespace trine::runtime::cli {
namespace {

using engine::RunOptions;

constexpr std::string_view kBlanks = " \t\v\f";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_all(const std::string& name) {
  return name == "ALL" || name == "all" || name == "CAP_ALL";
}

void check_capability(const char* flag, const std::string& text) {
  if (!is_all(text) && !isolation::parse_capability(text))
    refuse(flag, text, "there is no such capability", "capabilities(7) lists them; ALL means all");
}

/// One line of an --env-file, without its end. `place` is "FILE:LINE".
void add_env_line(RunOptions& options, std::string_view line, const std::string& place) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  if (line.empty() || line.front() == '#')
    return;
  const auto equals = line.find('=');
  const std::string name(line.substr(0, equals));
  if (name.empty() || name.find_first_of(kBlanks) != std::string::npos) {
    refuse("--env-file", place, "'" + name + "' is no name of a variable",
           "a line is NAME=VALUE, or NAME for ours; one that begins with # is a comment");
  }
  if (equals != std::string_view::npos) {
    options.env.emplace_back(line);
  } else if (const char* ours = std::getenv(name.c_str())) {
    options.env.push_back(name + "=" + ours);
  }
}

}  // namespace

void refuse(const std::string& flag, const std::string& value, const std::string& why,
            const std::string& hint) {
  throw base::Error(flag + " '" + value + "': " + why, 0, hint);
}

std::pair<std::string, std::string> read_pair(const char* flag, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || text.empty())
    refuse(flag, text, "it has no key", "write KEY=VALUE");
  if (equals == std::string::npos)
    return {text, ""};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void set_hostname(RunOptions& options, const std::string& text) {
  constexpr std::size_t kLongest = 64;  // the kernel's, __NEW_UTS_LEN
  constexpr const char* kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
      "0123456789-._";
  if (text.size() > kLongest || text.find_first_not_of(kAllowed) != std::string::npos) {
    refuse("--hostname", text, "it is no name of a host",
           "letters, digits, '-', '.' and '_', 64 of them at most");
  }
  options.hostname = text;
}

void set_pull(engine::RunOptions& options, const std::string& text) {
  if (text == "missing")
    options.pull = engine::PullPolicy::kMissing;
  else if (text == "always")
    options.pull = engine::PullPolicy::kAlways;
  else if (text == "never")
    options.pull = engine::PullPolicy::kNever;
  else
    refuse("--pull", text, "is unknown", "missing, always or never");
}

void set_platform(RunOptions& options, const std::string& text) {
  options.platform = images::parse_platform(text).text();
}

void set_isolation(RunOptions& options, const std::string& text) {
  if (text == "container") {
    options.isolation = policy::Request::kContainer;
  } else if (text == "vm") {
    options.isolation = policy::Request::kVm;
  } else if (text == "auto") {
    options.isolation = policy::Request::kAuto;
  } else if (text == "full") {
    refuse("--isolation", text, "it is not built into this version of trine",
           "it has container and vm; a stronger class is never replaced by a weaker one");
  } else {
    refuse("--isolation", text, "there is no such class", "container, vm, full or auto");
  }
}

void set_stop_signal(RunOptions& options, const std::string& text) {
  if (!isolation::parse_signal(text))
    refuse("--stop-signal", text, "there is no such signal", "as in TERM, SIGINT or 15: see signal(7)");
  options.stop_signal = text;
}

void set_cidfile(RunOptions& options, const std::string& file) {
  if (file.empty())
    refuse("--cidfile", file, "it is no name of a file", "give one that does not exist yet");
  if (::access(file.c_str(), F_OK) == 0) {
    refuse("--cidfile", file, "it exists already",
           "another instance may go by it: remove it, or choose another name");
  }
  options.cidfile = file;
}

void add_env(RunOptions& options, const std::string& text) {
  const auto equals = text.find('=');
  if (text.empty() || equals == 0)
    refuse("--env", text, "it has no name", "write NAME=VALUE, or NAME for ours");
  const char* ours = equals == std::string::npos ? std::getenv(text.c_str()) : nullptr;
  options.env.push_back(ours != nullptr ? text + "=" + ours : text);
}

void add_env_file(RunOptions& options, const std::string& file) {
  std::string text;
  try {
    text = base::read_file(file);
  } catch (const base::Error& error) {
    refuse("--env-file", file, error.what(), "give a file with a line NAME=VALUE for each variable");
  }
  std::string_view rest = text;
  if (rest.starts_with(kByteOrderMark))
    rest.remove_prefix(kByteOrderMark.size());
  std::size_t number = 0;
  for (std::string_view line : base::split(rest, '\n')) {
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    add_env_line(options, line, file + ":" + std::to_string(++number));
  }
}

void set_working_directory(RunOptions& options, const std::string& text) {
  if (!text.starts_with('/'))
    refuse("--workdir", text, "it is not an absolute path", "begin it with a slash");
  options.working_directory = text;
}

void set_network(RunOptions& options, const std::string& text) {
  constexpr std::string_view kContainer = "container:";
  constexpr std::string_view kNamespace = "ns:/";
  if (text == "private") {
    options.network = engine::NetworkMode::kPrivate;
  } else if (text == "none") {
    options.network = engine::NetworkMode::kNone;
  } else if (text == "host") {
    options.network = engine::NetworkMode::kHost;
  } else if (text.starts_with(kContainer) && text.size() > kContainer.size()) {
    options.network = engine::NetworkMode::kContainer;
    options.network_container = text.substr(kContainer.size());
  } else if (text.starts_with(kNamespace)) {
    options.network = engine::NetworkMode::kNamespace;
    options.network_namespace = text.substr(kNamespace.size() - 1);
  } else {
    refuse("--network", text, "there is no such network", "private, none, host, container:NAME or ns:/PATH");
  }
}

void add_capability(RunOptions& options, const std::string& text) {
  check_capability("--cap-add", text);
  options.cap_add.push_back(text);
}

void drop_capability(RunOptions& options, const std::string& text) {
  check_capability("--cap-drop", text);
  options.cap_drop.push_back(text);
}

void add_security_option(RunOptions& options, const std::string& text) {
  const auto separator = text.find_first_of("=:");
  const std::string key = text.substr(0, separator);
  const std::string value = separator == std::string::npos ? "" : text.substr(separator + 1);
  if (key == "no-new-privileges" && (separator == std::string::npos || value == "true" || value == "false")) {
    options.security.no_new_privileges = value != "false";
  } else if (key == "seccomp" && (value == "unconfined" || value == "builtin")) {
    options.security.seccomp_unconfined = value == "unconfined";
    options.security.seccomp_file.clear();
  } else if (key == "seccomp" && !value.empty()) {
    if (::access(value.c_str(), R_OK) != 0)
      refuse("--security-opt", text, base::errno_text(errno), "give a file with a profile in JSON");
    options.security.seccomp_unconfined = false;
    options.security.seccomp_file = value;
  } else {
    refuse("--security-opt", text, "it is unknown",
           "seccomp=unconfined, seccomp=builtin, seccomp=FILE or no-new-privileges");
  }
}

void add_vm_pages(RunOptions& options, const std::string& text) {
  if (text == "merged")
    options.vm_pages.merged = true;
  else if (text == "small")
    options.vm_pages.small = true;
  else
    refuse("--vm-pages", text, "it is unknown", "merged or small");
}

void add_sysctl(RunOptions& options, const std::string& text) {
  const auto pair = read_pair("--sysctl", text);
  if (text.find('=') == std::string::npos)
    refuse("--sysctl", text, "it has no value", "as in net.ipv4.ip_forward=1");
  options.sysctls.push_back(pair);
}

}  // namespace trine::runtime::cli
