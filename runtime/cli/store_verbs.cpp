#include "store_verbs.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "flags.h"
#include "image_verbs.h"
#include "isolation/rootless.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/image_store.h"
#include "runtime/engine/instance.h"
#include "table.h"

// `trine image …` and `trine system …`: verbs of two words, for the store as a whole.

namespace trine::runtime::cli {
namespace {

struct Options {
  bool all = false;
  bool repair = false;
  std::vector<std::string> verify;  ///< for trine-registry, which does that
};
constexpr const char* kVerify = "Flags of verify";

void add(Options& options, const char* name, const std::string& value) {
  options.verify.push_back(std::string(name) + "=" + value);
}

const Flag<Options> kImageFlags[] = {
    {{"-a,--all", nullptr, "Flags", "prune: images with a name too"},
     [](Options& o, const std::string& v) { o.all = is_on(v); }},
    {{"--key", "FILE", kVerify, "a public key (PEM), in place of the signature policy"},
     [](Options& o, const std::string& v) { add(o, "--key", v); }},
    {{"--signature-policy", "FILE", kVerify, "in place of ~/.config or /etc/containers/policy.json"},
     [](Options& o, const std::string& v) { add(o, "--signature-policy", v); }},
    {{"--tls-verify", nullptr, kVerify, "=false: unverified TLS and plain HTTP (default: true)"},
     [](Options& o, const std::string& v) { add(o, "--tls-verify", v); }},
    {{"--cert-dir", "DIR", kVerify, "*.crt to trust, *.cert and *.key of ours"},
     [](Options& o, const std::string& v) { add(o, "--cert-dir", v); }},
    {{"--authfile", "FILE", kVerify, "credentials (default: those of podman and docker)"},
     [](Options& o, const std::string& v) { add(o, "--authfile", v); }},
};
const Flag<Options> kSystemFlags[] = {
    {{"--repair", nullptr, "Flags", "check: take away what is damaged, to be loaded again"},
     [](Options& o, const std::string& v) { o.repair = is_on(v); }},
};

/// The second word, what it may be followed by, and what it does.
struct Subverb {
  const char* name;
  std::size_t least, most;  ///< words behind it
  int (*run)(const engine::Paths& paths, const Options& options, const std::vector<std::string>& words);
};

int prune(const engine::Paths& paths, const Options& options, const std::vector<std::string>& /*words*/) {
  const auto before = engine::open_store(paths).usage();
  for (const auto& line : engine::prune_images(paths, options.all))
    print(line + "\n");
  const auto after = engine::open_store(paths).usage();
  print("freed " + human_size(before.bytes > after.bytes ? before.bytes - after.bytes : 0) + "\n");
  return 0;
}

int mount(const engine::Paths& paths, const Options& /*options*/, const std::vector<std::string>& words) {
  print(engine::mount_image(paths, words.front(), words.size() > 1 ? words[1] : "") + "\n");
  return 0;
}

int unmount(const engine::Paths& paths, const Options& /*options*/, const std::vector<std::string>& words) {
  engine::unmount_image(paths, words.front());
  return 0;
}

int verify(const engine::Paths& paths, const Options& options, const std::vector<std::string>& words) {
  for (const auto& line : engine::verify_image(paths, options.verify, words.front()))
    print(line + "\n");
  return 0;
}

int disk_usage(const engine::Paths& paths, const Options& /*options*/,
               const std::vector<std::string>& /*words*/) {
  const auto usage = engine::open_store(paths).usage();
  print(format_table(
      {{"TYPE", "COUNT", "SIZE", "RECLAIMABLE"},
       {"Images", std::to_string(usage.images), human_size(usage.bytes), human_size(usage.reclaimable)},
       {"Layers", std::to_string(usage.layers), human_size(usage.bytes), human_size(usage.reclaimable)}}));
  return 0;
}

int check(const engine::Paths& paths, const Options& options, const std::vector<std::string>& /*words*/) {
  if (const std::string form = engine::open_store(paths).layer_form(); !form.empty())
    print("layers are kept as " + form + "\n");
  return engine::check_store(paths, options.repair);
}

int search(const engine::Paths& paths, const Options& /*options*/, const std::vector<std::string>& words) {
  return run_search(paths, {"--", words.front()});
}

constexpr Subverb kImage[] = {
    {"prune", 0, 0, prune},    {"mount", 1, 2, mount},   {"unmount", 1, 1, unmount},
    {"umount", 1, 1, unmount}, {"search", 1, 1, search}, {"verify", 1, 1, verify},
};
constexpr Subverb kSystem[] = {
    {"df", 0, 0, disk_usage},
    {"check", 0, 0, check},
};

/// The second word stands first, its flags and arguments behind it.
template <std::size_t N, std::size_t M>
int dispatch(const char* verb, const Subverb (&table)[N], const Flag<Options> (&flags)[M],
             const engine::Paths& paths, std::vector<std::string> arguments) {
  const std::string usage = std::string("trine ") + verb;
  const bool named = !arguments.empty() && !arguments.front().starts_with('-');
  const std::string name = named ? arguments.front() : "";
  if (named)
    arguments.erase(arguments.begin());
  Options options;
  const auto words = parse_flags(verb, flags, std::move(arguments), options);
  const auto found =
      std::ranges::find(table, name, [](const Subverb& subverb) { return std::string(subverb.name); });
  if (found == std::end(table)) {
    throw base::Error(usage + (named ? " has no '" + name + "'" : " needs a second word"), 0,
                      usage + " --help lists what there is");
  }
  if (words.size() < found->least)
    throw base::Error(usage + " " + name + " needs one more word", 0, usage + " --help");
  if (words.size() > found->most)
    throw base::Error(usage + " " + name + " takes no '" + words.back() + "'", 0, usage + " --help");
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  return found->run(paths, options, words);
}

}  // namespace

std::vector<FlagText> image_flag_texts() {
  return flag_texts(kImageFlags);
}
std::vector<FlagText> system_flag_texts() {
  return flag_texts(kSystemFlags);
}

int run_image(const engine::Paths& paths, std::vector<std::string> arguments) {
  return dispatch("image", kImage, kImageFlags, paths, std::move(arguments));
}

int run_system(const engine::Paths& paths, std::vector<std::string> arguments) {
  return dispatch("system", kSystem, kSystemFlags, paths, std::move(arguments));
}

}  // namespace trine::runtime::cli
