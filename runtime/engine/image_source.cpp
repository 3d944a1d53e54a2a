#include "runtime/engine/image_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "image_helper.h"
#include "images/name.h"
#include "images/platform.h"
#include "images/run_policy.h"

namespace trine::runtime::engine {
namespace {

constexpr std::array<std::string_view, 4> kTransports{"oci:", "dir:", "oci-archive:", "docker-archive:"};
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

/// Whether it may be taken for what was asked for. An image need not say what it is for.
bool is_for(const images::ImageConfig& config, const std::string& platform) {
  const images::Platform offered{
      .os = config.os, .architecture = config.architecture, .variant = config.variant};
  return platform.empty() || config.architecture.empty() ||
         images::fitness(offered, images::parse_platform(platform)) > 0;
}

[[noreturn]] void refuse_missing(const std::string& wanted) {
  throw base::Error("there is " + wanted, 0,
                    "trine images lists those there are; trine pull and trine load bring one in; " +
                        std::string(kTransportsText) + " can be run as they are");
}

std::string no_image(const std::string& image) {
  return "no image " + image + " in the store";
}

images::Image stored_image(const images::Store& store, const std::string& reference) {
  if (auto found = store.find(reference))
    return std::move(*found);
  refuse_missing(no_image(reference));
}

images::Image load_one(const Paths& paths, const images::Store& store, const LoadRequest& request) {
  const auto loaded = load_images(paths, request);
  if (loaded.size() != 1) {
    throw base::Error(request.source + " holds " + std::to_string(loaded.size()) + " images", 0,
                      "name one of them, or trine load them all");
  }
  return stored_image(store, first_word(loaded.front()));
}

}  // namespace

const char* const kTransportsText =
    "oci:DIR[:TAG], dir:DIR, oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]";

images::Store open_store(const Paths& paths) {
  return {paths.lib + "/images", paths.run + "/layers"};
}

std::string without_docker(const std::string& image) {
  return image.starts_with(kDocker) ? image.substr(kDocker.size()) : image;
}

bool is_transport(const std::string& image) {
  return std::ranges::any_of(kTransports,
                             [&](std::string_view transport) { return image.starts_with(transport); });
}

std::vector<std::string> load_images(const Paths& paths, const LoadRequest& request) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "load"};
  if (request.quiet)
    arguments.emplace_back("--quiet");
  if (!request.signature_policy.empty())
    arguments.insert(arguments.end(), {"--signature-policy", request.signature_policy});
  for (const auto& name : request.names)
    arguments.insert(arguments.end(), {"--name", name});
  if (!request.platform.empty())
    arguments.insert(arguments.end(), {"--platform", request.platform});
  arguments.insert(arguments.end(), {"--", request.source});
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
    return load_one(paths, store, {.source = image, .quiet = true});
  return stored_image(store, without_docker(image));
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const RunOptions& options) {
  if (!options.image_digest.empty()) {
    auto pinned = store.find(options.image_digest);
    if (!pinned)
      refuse_missing("no image " + options.image_digest + " in the store, of which the instance was made");
    return std::move(*pinned);
  }
  const std::string& policy = options.signature_policy;
  const std::string& platform = options.platform;
  if (is_transport(options.image)) {  // the policy's rules for it are those for where it is loaded from
    return load_one(
        paths, store,
        {.source = options.image, .platform = platform, .signature_policy = policy, .quiet = true});
  }
  const std::string reference = without_docker(options.image);
  const bool always = options.pull == PullPolicy::kAlways;
  auto found = always ? std::nullopt : store.find(reference);
  const std::string wanted =
      "no image " + options.image + (found ? " for " + platform : "") + " in the store";
  // What was found by its id is that image and no other.
  const bool named = images::is_name(reference) && (!found || !found->names.empty());
  if (found && !is_for(found->config, platform))
    found.reset();
  const bool missing = !found && options.pull == PullPolicy::kMissing && named;
  if (missing)
    base::print_progress("there is " + wanted + ": pulling it");
  if (missing || always) {
    std::vector<std::string> flags;
    if (!policy.empty())
      flags.push_back("--signature-policy=" + policy);
    if (!platform.empty())
      flags.push_back("--platform=" + platform);
    found = store.find(first_word(pull_images(paths, flags, {reference}).front()));
  }
  if (!found)
    refuse_missing(wanted);
  images::require_runnable(policy, store, *found, reference);
  return std::move(*found);
}

}  // namespace trine::runtime::engine
