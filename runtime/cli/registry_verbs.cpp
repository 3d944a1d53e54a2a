#include "registry_verbs.h"

#include "base/error.h"
#include "base/text.h"
#include "flags.h"
#include "images/tag.h"
#include "isolation/rootless.h"
#include "run_values.h"
#include "runtime/engine/image_source.h"

namespace trine::runtime::cli {
namespace {

/// What is handed on to trine-registry, which does the work, as "--name=value".
struct Words {
  std::vector<std::string> options;
  bool quiet = false;
};
using Text = const std::string&;

constexpr const char* kWhat = "Flags";
constexpr const char* kShown = "Output";
constexpr const char* kConnection = "Connection";

void add(Words& words, const char* name, Text value) {
  words.options.push_back(std::string(name) + "=" + value);
}

std::string rate_of(Text text) {
  constexpr std::uint64_t kLeast = 1 << 10;  // a slower one would be taken for a stalled connection
  constexpr std::uint64_t kMost = 4'000'000'000;
  const std::uint64_t rate = read_size("--limit-rate", text);
  if (rate < kLeast || rate > kMost)
    refuse("--limit-rate", text, "it is less than 1k or more than 3g a second", "leave it away for no limit");
  return std::to_string(rate);
}

std::string jobs_of(Text text) {
  constexpr std::uint64_t kMost = 100;
  const auto jobs = base::parse_unsigned(text);
  if (!jobs || *jobs == 0 || *jobs > kMost)
    refuse("--jobs", text, "it is no number from 1 to 100", "10 is what it would be");
  return text;
}

// The flags of more than one verb.
constexpr Flag<Words> kQuiet{{"-q,--quiet", nullptr, kShown, "no progress"},
                             [](Words& w, Text v) { w.quiet = is_on(v); }};
constexpr Flag<Words> kProgress{{"--progress", "STYLE", kShown, "auto (default), plain, tty or none"},
                                [](Words& w, Text v) { add(w, "--progress", v); }};
constexpr Flag<Words> kVerify{
    {"--tls-verify", nullptr, kConnection, "=false: unverified TLS and plain HTTP (default: true)"},
    [](Words& w, Text v) { add(w, "--tls-verify", v); }};
constexpr Flag<Words> kCertificates{
    {"--cert-dir", "DIR", kConnection, "*.crt to trust, *.cert and *.key of ours"},
    [](Words& w, Text v) { add(w, "--cert-dir", v); }};
constexpr Flag<Words> kAuthFile{
    {"--authfile", "FILE", kConnection, "credentials (default: those of podman and docker)"},
    [](Words& w, Text v) { add(w, "--authfile", v); }};
constexpr Flag<Words> kRetry{
    {"--retry", "NUMBER", kConnection, "tries after a first that failed (default: 3)"},
    [](Words& w, Text v) { add(w, "--retry", v); }};
constexpr Flag<Words> kTimeout{{"--timeout", "SECONDS", kConnection,
                                "give up a connection that brings nothing for so long (default: 30)"},
                               [](Words& w, Text v) { add(w, "--timeout", v); }};
constexpr Flag<Words> kRate{
    {"--limit-rate", "SIZE", kConnection, "bytes a second at most, as in 2m (default: no limit)"},
    [](Words& w, Text v) { add(w, "--limit-rate", rate_of(v)); }};

constexpr Flag<Words> kPullFlags[] = {
    {{"--platform", "OS/ARCH[/VARIANT]", kWhat, "of an image for several (default: this machine's)"},
     [](Words& w, Text v) { add(w, "--platform", v); }},
    kQuiet,
    kProgress,
    kVerify,
    kCertificates,
    kAuthFile,
    kRetry,
    kTimeout,
    kRate,
    {{"--jobs", "NUMBER", kConnection, "downloads at the same time, 1 to 100 (default: 10)"},
     [](Words& w, Text v) { add(w, "--jobs", jobs_of(v)); }}};
constexpr Flag<Words> kPushFlags[] = {kQuiet,    kProgress, kVerify,  kCertificates,
                                      kAuthFile, kRetry,    kTimeout, kRate};
constexpr Flag<Words> kLoginFlags[] = {
    {{"-u,--username", "NAME", kWhat, "the account"}, [](Words& w, Text v) { add(w, "--username", v); }},
    {{"-p,--password", "PASSWORD", kWhat, "the password; others see it in the list of processes"},
     [](Words& w, Text v) { add(w, "--password", v); }},
    {{"--password-stdin", nullptr, kWhat, "read the password from the standard input"},
     [](Words& w, Text v) { add(w, "--password-stdin", v); }},
    kVerify,
    kCertificates,
    kAuthFile,
    kTimeout};
constexpr Flag<Words> kLogoutFlags[] = {kAuthFile};

void require(bool given, const std::string& verb, const char* what) {
  if (!given)
    throw base::Error("trine " + verb + " " + what, 0, "trine " + verb + " --help");
}

void enter() {
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
}

std::vector<std::string> shown(Words words) {
  if (words.quiet)
    words.options.emplace_back("--progress=none");
  return std::move(words.options);
}

std::vector<std::string> command(const char* verb, Words words, const std::vector<std::string>& rest) {
  std::vector<std::string> result{verb};
  for (auto& option : shown(std::move(words)))
    result.push_back(std::move(option));
  result.emplace_back("--");
  result.insert(result.end(), rest.begin(), rest.end());
  return result;
}

void print_lines(const std::vector<std::string>& lines) {
  for (const auto& line : lines)
    print(line + "\n");
}

}  // namespace

std::vector<FlagText> pull_flag_texts() {
  return flag_texts(kPullFlags);
}
std::vector<FlagText> push_flag_texts() {
  return flag_texts(kPushFlags);
}
std::vector<FlagText> login_flag_texts() {
  return flag_texts(kLoginFlags);
}
std::vector<FlagText> logout_flag_texts() {
  return flag_texts(kLogoutFlags);
}

int run_pull(const engine::Paths& paths, std::vector<std::string> arguments) {
  Words words;
  const auto names = parse_flags("pull", kPullFlags, std::move(arguments), words);
  require(!names.empty(), "pull", "needs the name of an image");
  enter();
  engine::open_store(paths).repair();
  print_lines(engine::pull_images(paths, shown(std::move(words)), names));
  return 0;
}

int run_push(const engine::Paths& paths, std::vector<std::string> arguments) {
  Words words;
  const auto rest = parse_flags("push", kPushFlags, std::move(arguments), words);
  require(!rest.empty() && rest.size() <= 2, "push", "needs an image, and one name at most");
  enter();
  print_lines(engine::run_registry(paths, command("push", std::move(words), rest)));
  return 0;
}

int run_login(const engine::Paths& paths, std::vector<std::string> arguments) {
  Words words;
  const auto rest = parse_flags("login", kLoginFlags, std::move(arguments), words);
  require(rest.size() <= 1, "login", "takes one registry");
  print_lines(engine::run_registry(paths, command("login", std::move(words), rest)));
  return 0;
}

int run_logout(const engine::Paths& paths, std::vector<std::string> arguments) {
  Words words;
  const auto rest = parse_flags("logout", kLogoutFlags, std::move(arguments), words);
  require(rest.size() <= 1, "logout", "takes one registry");
  print_lines(engine::run_registry(paths, command("logout", std::move(words), rest)));
  return 0;
}

int run_tag(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto words = parse_words("tag", {}, std::move(arguments)).rest;
  require(words.size() > 1, "tag", "needs an image and a name");
  enter();
  const images::Store store = engine::open_store(paths);
  const auto image = store.find(words.front());
  if (!image)
    throw base::Error("there is no image " + words.front() + " in the store", 0, "trine images lists them");
  for (std::size_t i = 1; i < words.size(); ++i)
    images::tag(store.root(), image->digest, words[i]);
  return 0;
}

}  // namespace trine::runtime::cli
