#include "image_verbs.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log.h"
#include "flags.h"
#include "images/platform.h"
#include "isolation/rootless.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/instance.h"
#include "table.h"

namespace trine::runtime::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ImagesOptions {
  bool quiet = false;
  bool full = false;
  std::string format = "table";
};
const Flag<ImagesOptions> kImagesFlags[] = {
    {{"-q,--quiet", nullptr, "Output", "ids only"},
     [](ImagesOptions& o, const std::string& v) { o.quiet = is_on(v); }},
    {{"--no-trunc", nullptr, "Output", "ids whole"},
     [](ImagesOptions& o, const std::string& v) { o.full = is_on(v); }},
    {{"--format", "table|json", "Output", "how to print"},
     [](ImagesOptions& o, const std::string& v) { o.format = v; }},
};

struct LoadOptions {
  std::vector<std::string> names;
  std::string platform;
  std::string signature_policy;
  bool quiet = false;
};
const Flag<LoadOptions> kLoadFlags[] = {
    {{"--name", "NAME", "Flags", "call the image NAME, in place of the name it brings"},
     [](LoadOptions& o, const std::string& v) { o.names.push_back(v); }},
    {{"--platform", "OS/ARCH[/VARIANT]", "Flags", "of an image for several (default: this machine's)"},
     [](LoadOptions& o, const std::string& v) { o.platform = images::parse_platform(v).text(); }},
    {{"--signature-policy", "FILE", "Flags", "in place of ~/.config or /etc/containers/policy.json"},
     [](LoadOptions& o, const std::string& v) { o.signature_policy = v; }},
    {{"-q,--quiet", nullptr, "Flags", "no progress"},
     [](LoadOptions& o, const std::string& v) { o.quiet = is_on(v); }},
};

std::string short_id(const std::string& digest) {
  return digest.substr(digest.find(':') + 1).substr(0, 12);
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json image_json(const images::Image& image) {
  return {{"Id", image.id},
          {"Digest", image.digest},
          {"Names", image.names},
          {"Created", image.config.created},
          {"Os", image.config.os},
          {"Architecture", image.config.architecture},
          {"Variant", image.config.variant},
          {"Size", image.size}};
}

void refuse_arguments(const char* verb, const std::vector<std::string>& arguments) {
  if (arguments.empty())
    return;
  throw base::Error(std::string("trine ") + verb + " takes no '" + arguments.front() + "'", 0,
                    std::string("trine ") + verb + " --help");
}

void require_arguments(const char* verb, const char* what, const std::vector<std::string>& arguments) {
  if (!arguments.empty())
    return;
  throw base::Error(std::string("trine ") + verb + " needs " + what, 0,
                    std::string("trine ") + verb + " --help");
}

/// An image that an instance, running or kept, was made from is not taken away under it.
void refuse_in_use(const engine::Paths& paths, const images::Store& store, const std::string& reference) {
  const auto image = store.find(reference);
  if (!image)
    return;
  for (const auto& record : engine::list_instances(paths)) {
    if (record.image_digest != image->digest)
      continue;
    throw base::Error("cannot remove " + reference + ": the instance " + record.name + " was made from it", 0,
                      "trine rm " + record.name);
  }
}

Json inspect_image(const images::Store& store, const images::Image& image) {
  Json json = image_json(image);
  json["Layers"] = image.layers;
  json["Config"] = Json::parse(store.config_json(image));
  json["Manifest"] = Json::parse(store.manifest_json(image));
  return json;
}

/// Images with what they are called, or only those with a name in which `term` stands.
std::vector<images::Image> find_images(const images::Store& store, const std::string& term) {
  std::vector<images::Image> found;
  for (auto& image : store.list()) {
    if (!term.empty())
      std::erase_if(image.names, [&](const std::string& name) { return !name.contains(term); });
    if (term.empty() || !image.names.empty())
      found.push_back(std::move(image));
  }
  return found;
}

int list_images(const engine::Paths& paths, const ImagesOptions& options, const std::string& term) {
  if (options.format != "table" && options.format != "json") {
    throw base::Error("--format '" + options.format + "' is unknown", 0, "table or json");
  }
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  images::Store store = engine::open_store(paths);
  store.repair();
  std::vector<std::vector<std::string>> rows;
  if (!options.quiet)
    rows.push_back({"NAME", "ID", "CREATED", "SIZE"});
  Json list = Json::array();
  for (const auto& image : find_images(store, term)) {
    list.push_back(image_json(image));
    const std::string id = options.full ? image.id : short_id(image.id);
    if (options.quiet) {
      rows.push_back({id});
      continue;
    }
    const auto names = image.names.empty() ? std::vector<std::string>{"<none>"} : image.names;
    for (const auto& name : names)
      rows.push_back({name, id, image.config.created, human_size(image.size)});
  }
  print(options.format == "json" ? dump(list) : format_table(rows));
  return 0;
}

}  // namespace

std::vector<FlagText> images_flag_texts() {
  return flag_texts(kImagesFlags);
}
std::vector<FlagText> load_flag_texts() {
  return flag_texts(kLoadFlags);
}

int run_images(const engine::Paths& paths, std::vector<std::string> arguments) {
  ImagesOptions options;
  refuse_arguments("images", parse_flags("images", kImagesFlags, std::move(arguments), options));
  return list_images(paths, options, "");
}

int run_search(const engine::Paths& paths, std::vector<std::string> arguments) {
  ImagesOptions options;
  const auto words = parse_flags("search", kImagesFlags, std::move(arguments), options);
  if (words.size() != 1 || words.front().empty())
    throw base::Error("trine search needs one term", 0, "trine search --help");
  return list_images(paths, options, words.front());
}

int run_load(const engine::Paths& paths, std::vector<std::string> arguments) {
  LoadOptions options;
  const auto sources = parse_flags("load", kLoadFlags, std::move(arguments), options);
  require_arguments("load", "a source", sources);
  for (const auto& source : sources) {
    if (!engine::is_transport(source)) {
      throw base::Error("cannot load " + source, 0,
                        std::string("a source is ") + engine::kTransportsText +
                            "; trine import takes an archive of a root file system");
    }
  }
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  engine::open_store(paths).repair();
  for (const auto& source : sources) {
    for (const auto& line : engine::load_images(paths, {.source = source,
                                                        .names = options.names,
                                                        .platform = options.platform,
                                                        .signature_policy = options.signature_policy,
                                                        .quiet = options.quiet}))
      print(line + "\n");
  }
  return 0;
}

int run_rmi(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto references = parse_words("rmi", {}, std::move(arguments)).rest;
  require_arguments("rmi", "an image", references);
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  images::Store store = engine::open_store(paths);
  store.repair();
  for (const auto& reference : references) {
    refuse_in_use(paths, store, reference);
    for (const auto& line : store.remove(reference))
      print(line + "\n");
  }
  return 0;
}

int run_inspect(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto references = parse_words("inspect", {}, std::move(arguments)).rest;
  require_arguments("inspect", "an image or an instance", references);
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  const images::Store store = engine::open_store(paths);
  Json list = Json::array();
  for (const auto& reference : references) {
    if (const auto image = store.find(reference)) {
      list.push_back(inspect_image(store, *image));
    } else {
      list.push_back(Json::parse(engine::to_json(engine::find_instance(paths, reference))));
    }
  }
  print(dump(list));
  return 0;
}

}  // namespace trine::runtime::cli
