#include "runtime/engine/image_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "image_helper.h"
#include "images/name.h"
#include "images/run_policy.h"

namespace trine::runtime::engine {
namespace {

constexpr std::array<std::string_view, 3> kTransports{"oci:", "oci-archive:", "docker-archive:"};
constexpr const char* kImporter = "trine-images";    ///< reads what strangers packed
constexpr const char* kRegistry = "trine-registry";  ///< speaks to registries
constexpr std::string_view kDocker = "docker://";

/// The lines it prints. A helper that fails has said why: its exit code becomes ours.
std::vector<std::string> ask_lines(const char* name, const std::vector<std::string>& arguments) {
  const HelperResult result = ask_helper(name, arguments);
  if (result.code != 0)
    ::_exit(result.code);
  return base::split(result.output, '\n', base::SplitEmpty::kSkip);
}

std::string first_word(const std::string& line) {
  return line.substr(0, line.find(' '));
}

std::string without_docker(const std::string& name) {
  return name.starts_with(kDocker) ? name.substr(kDocker.size()) : name;
}

/// For trine-registry, about images in registries.
std::vector<std::string> command(const char* verb, const std::vector<std::string>& options,
                                 const std::vector<std::string>& names) {
  std::vector<std::string> words{verb};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  for (const auto& name : names)
    words.push_back(without_docker(name));
  return words;
}

images::Image stored_image(const images::Store& store, const std::string& reference) {
  if (auto found = store.find(reference))
    return std::move(*found);
  throw base::Error("there is no image " + reference + " in the store", 0,
                    "trine images lists those there are; trine pull and trine load bring one in; oci:DIR, "
                    "oci-archive:FILE and "
                    "docker-archive:FILE can be run as they are");
}

images::Image load_one(const Paths& paths, const images::Store& store, const std::string& source,
                       const std::string& signature_policy) {
  const auto loaded = load_images(paths, source, {}, true, signature_policy);
  if (loaded.size() != 1) {
    throw base::Error(source + " holds " + std::to_string(loaded.size()) + " images", 0,
                      "name one of them, or trine load them all");
  }
  return stored_image(store, first_word(loaded.front()));
}

}  // namespace

images::Store open_store(const Paths& paths) {
  return {paths.lib + "/images", paths.run + "/layers"};
}

bool is_transport(const std::string& image) {
  return std::ranges::any_of(kTransports,
                             [&](std::string_view transport) { return image.starts_with(transport); });
}

std::vector<std::string> load_images(const Paths& paths, const std::string& source,
                                     const std::vector<std::string>& names, bool quiet,
                                     const std::string& signature_policy) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "load"};
  if (quiet)
    arguments.emplace_back("--quiet");
  if (!signature_policy.empty())
    arguments.insert(arguments.end(), {"--signature-policy", signature_policy});
  for (const auto& name : names)
    arguments.insert(arguments.end(), {"--name", name});
  arguments.push_back(source);
  return ask_lines(kImporter, arguments);
}

std::vector<std::string> run_registry(const Paths& paths, const std::vector<std::string>& words) {
  std::vector<std::string> arguments{"--store=" + paths.lib + "/images", "--mounts=" + paths.run + "/layers"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return ask_lines(kRegistry, arguments);
}

std::vector<std::string> pull_images(const Paths& paths, const std::vector<std::string>& options,
                                     const std::vector<std::string>& names) {
  return run_registry(paths, command("pull", options, names));
}

std::vector<std::string> verify_image(const Paths& paths, const std::vector<std::string>& options,
                                      const std::string& name) {
  return run_registry(paths, command("verify", options, {name}));
}

images::Image find_image(const Paths& paths, const images::Store& store, const std::string& image) {
  if (is_transport(image))
    return load_one(paths, store, image, {});
  return stored_image(store, without_docker(image));
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const RunOptions& options) {
  const std::string& policy = options.signature_policy;
  if (is_transport(options.image))  // the policy's rules for it are those for where it is loaded from
    return load_one(paths, store, options.image, policy);
  const std::string reference = without_docker(options.image);
  const bool always = options.pull == PullPolicy::kAlways;
  auto found = always ? std::nullopt : store.find(reference);
  const bool missing = !found && options.pull == PullPolicy::kMissing && images::is_name(reference);
  if (missing)
    base::print_progress("there is no image " + options.image + " in the store: pulling it");
  if (missing || always) {
    std::vector<std::string> flags;
    if (!policy.empty())
      flags.push_back("--signature-policy=" + policy);
    found = store.find(first_word(pull_images(paths, flags, {reference}).front()));
  }
  images::Image image = found ? std::move(*found) : stored_image(store, reference);
  images::require_runnable(policy, store, image, reference);
  return image;
}

}  // namespace trine::runtime::engine
