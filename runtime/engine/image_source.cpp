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

std::string without_docker(const std::string& name) {
  return name.starts_with(kDocker) ? name.substr(kDocker.size()) : name;
}

std::vector<std::string> platform_option(const std::string& platform) {
  return platform.empty() ? std::vector<std::string>{} : std::vector<std::string>{"--platform=" + platform};
}

/// Whether it may be taken for what was asked for. An image need not say what it is for.
bool is_for(const images::ImageConfig& config, const std::string& platform) {
  const images::Platform offered{
      .os = config.os, .architecture = config.architecture, .variant = config.variant};
  return platform.empty() || config.architecture.empty() ||
         images::fitness(offered, images::parse_platform(platform)) > 0;
}

std::string load_one(const Paths& paths, const std::string& source, const std::string& platform) {
  const auto loaded =
      load_images(paths, {.source = source, .names = {}, .platform = platform, .quiet = true});
  if (loaded.size() != 1) {
    throw base::Error(source + " holds " + std::to_string(loaded.size()) + " images", 0,
                      "name one of them, or trine load them all");
  }
  return loaded.front().substr(0, loaded.front().find(' '));
}

std::string pull_one(const Paths& paths, const std::string& name, const std::string& platform) {
  const std::string line = pull_images(paths, platform_option(platform), {name}).front();
  return line.substr(0, line.find(' '));
}

}  // namespace

const char* const kTransportsText =
    "oci:DIR[:TAG], dir:DIR, oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]";

images::Store open_store(const Paths& paths) {
  return {paths.lib + "/images", paths.run + "/layers"};
}

bool is_transport(const std::string& image) {
  return std::ranges::any_of(kTransports,
                             [&](std::string_view transport) { return image.starts_with(transport); });
}

std::vector<std::string> load_images(const Paths& paths, const LoadRequest& request) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "load"};
  if (request.quiet)
    arguments.emplace_back("--quiet");
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
  std::vector<std::string> words{"pull"};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  for (const auto& name : names)
    words.push_back(without_docker(name));
  return run_registry(paths, words);
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const std::string& image,
                            PullPolicy policy, const std::string& platform) {
  std::string reference = without_docker(image);
  if (is_transport(image))
    reference = load_one(paths, image, platform);
  else if (policy == PullPolicy::kAlways)
    reference = pull_one(paths, image, platform);
  auto found = store.find(reference);
  const bool fits = found && is_for(found->config, platform);
  if (fits)
    return std::move(*found);
  const std::string wanted = "no image " + image + (found ? " for " + platform : "") + " in the store";
  // What was found by its id is that image and no other.
  const bool named = images::is_name(reference) && (!found || !found->names.empty());
  if (policy == PullPolicy::kMissing && named) {
    base::print_progress("there is " + wanted + ": pulling it");
    if (auto pulled = store.find(pull_one(paths, reference, platform)))
      return std::move(*pulled);
  }
  throw base::Error("there is " + wanted, 0,
                    "trine images lists those there are; trine pull and trine load bring one in; " +
                        std::string(kTransportsText) + " can be run as they are");
}

}  // namespace trine::runtime::engine
