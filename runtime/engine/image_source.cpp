#include "runtime/engine/image_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "image_helper.h"
#include "images/name.h"

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

std::string without_docker(const std::string& name) {
  return name.starts_with(kDocker) ? name.substr(kDocker.size()) : name;
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
                                     const std::vector<std::string>& names, bool quiet) {
  std::vector<std::string> arguments{"--store", paths.lib + "/images", "load"};
  if (quiet)
    arguments.emplace_back("--quiet");
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
  std::vector<std::string> words{"pull"};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  for (const auto& name : names)
    words.push_back(without_docker(name));
  return run_registry(paths, words);
}

images::Image resolve_image(const Paths& paths, const images::Store& store, const std::string& image,
                            PullPolicy policy) {
  std::string reference = image;
  if (is_transport(image)) {
    const auto loaded = load_images(paths, image, {}, true);
    if (loaded.size() != 1) {
      throw base::Error(image + " holds " + std::to_string(loaded.size()) + " images", 0,
                        "name one of them, or trine load them all");
    }
    reference = loaded.front().substr(0, loaded.front().find(' '));
  } else if (policy == PullPolicy::kAlways) {
    reference = pull_images(paths, {}, {image}).front();
    reference.erase(reference.find(' '));
  }
  reference = without_docker(reference);
  if (auto found = store.find(reference))
    return std::move(*found);
  if (policy == PullPolicy::kMissing && images::is_name(reference)) {
    base::print_progress("there is no image " + image + " in the store: pulling it");
    const std::string line = pull_images(paths, {}, {reference}).front();
    if (auto found = store.find(line.substr(0, line.find(' '))))
      return std::move(*found);
  }
  throw base::Error("there is no image " + image + " in the store", 0,
                    "trine images lists those there are; trine pull and trine load bring one in; oci:DIR, "
                    "oci-archive:FILE and "
                    "docker-archive:FILE can be run as they are");
}

}  // namespace trine::runtime::engine
