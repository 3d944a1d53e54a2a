#include "archive_verbs.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/error.h"
#include "flags.h"
#include "isolation/rootless.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/image_store.h"
#include "runtime/engine/instance.h"
#include "table.h"

// Verbs that tell or give away what an image is made of.

namespace trine::runtime::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SaveOptions {
  std::string output;
  engine::SaveFormat format = engine::SaveFormat::kArchive;
};

engine::SaveFormat parse_format(const std::string& text) {
  if (text == "archive")
    return engine::SaveFormat::kArchive;
  if (text == "oci")
    return engine::SaveFormat::kOci;
  if (text == "dir")
    return engine::SaveFormat::kDir;
  throw base::Error(
      "--format '" + text + "' is unknown", 0,
      "archive for a file; oci or dir for a directory, as an OCI layout or as skopeo's dir: has it");
}

const Flag<SaveOptions> kSaveFlags[] = {
    {{"-o,--output", "PATH", "Flags", "write to PATH, in place of the standard output"},
     [](SaveOptions& o, const std::string& v) { o.output = v; }},
    {{"--format", "archive|oci|dir", "Flags",
      "a file (default), or a directory: an OCI layout, or skopeo's dir:"},
     [](SaveOptions& o, const std::string& v) { o.format = parse_format(v); }},
};

struct HistoryOptions {
  bool full = false;
  std::string format = "table";
};
const Flag<HistoryOptions> kHistoryFlags[] = {
    {{"--no-trunc", nullptr, "Output", "commands whole"},
     [](HistoryOptions& o, const std::string& v) { o.full = is_on(v); }},
    {{"--format", "table|json", "Output", "how to print"},
     [](HistoryOptions& o, const std::string& v) { o.format = v; }},
};

std::string text_of(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The steps an image was made by, the last one first, with the bytes of those that made a layer.
Json steps_of(const images::Store& store, const images::Image& image) {
  const Json configuration = Json::parse(store.config_json(image));
  const Json manifest = Json::parse(store.manifest_json(image));
  Json steps = Json::array();
  std::size_t layer = 0;
  for (const auto& entry : configuration.value("history", Json::array())) {
    if (!entry.is_object())
      continue;
    const bool empty = entry.value("empty_layer", false);
    const bool known = !empty && layer < manifest.at("layers").size();
    steps.insert(steps.begin(),
                 Json{{"Created", text_of(entry, "created")},
                      {"CreatedBy", text_of(entry, "created_by")},
                      {"Size", known ? manifest["layers"][layer].at("size").get<std::uint64_t>() : 0},
                      {"Comment", text_of(entry, "comment")}});
    layer += empty ? 0 : 1;
  }
  return steps;
}

/// For one line of a table; bytes of a stranger's that would move the cursor are not passed on.
std::string one_line(std::string text, std::size_t most) {
  for (auto& byte : text) {
    if (static_cast<unsigned char>(byte) < ' ' || byte == 0x7f)
      byte = ' ';
  }
  if (text.size() <= most)
    return text;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80)  // inside of a character
    --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::vector<FlagText> save_flag_texts() {
  return flag_texts(kSaveFlags);
}
std::vector<FlagText> history_flag_texts() {
  return flag_texts(kHistoryFlags);
}

int run_save(const engine::Paths& paths, std::vector<std::string> arguments) {
  SaveOptions options;
  const auto references = parse_flags("save", kSaveFlags, std::move(arguments), options);
  if (references.empty())
    throw base::Error("trine save needs an image", 0, "trine save --help");
  if (options.output.empty() && options.format != engine::SaveFormat::kArchive)
    throw base::Error("trine save --format oci and dir write a directory", 0, "name it, as in -o ./image");
  if (options.format == engine::SaveFormat::kDir && references.size() > 1) {
    throw base::Error("a directory of --format dir holds one image", 0,
                      "save them one by one, or to an OCI layout: --format oci");
  }
  if (options.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    throw base::Error("trine save does not write an archive to a terminal", 0,
                      "name a file, as in -o image.tar, or redirect the output");
  }
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  return engine::save_images(paths, references, options.format, options.output);
}

int run_history(const engine::Paths& paths, std::vector<std::string> arguments) {
  constexpr std::size_t kWidth = 60;
  HistoryOptions options;
  const auto references = parse_flags("history", kHistoryFlags, std::move(arguments), options);
  if (references.size() != 1)
    throw base::Error("trine history needs one image", 0, "trine history --help");
  if (options.format != "table" && options.format != "json")
    throw base::Error("--format '" + options.format + "' is unknown", 0, "table or json");
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  const images::Store store = engine::open_store(paths);
  const auto image = store.find(references.front());
  if (!image)
    throw base::Error("there is no image " + references.front() + " in the store", 0,
                      "trine images lists them");
  const Json steps = steps_of(store, *image);
  if (options.format == "json") {
    print(steps.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"CREATED", "CREATED BY", "SIZE", "COMMENT"}};
  for (const auto& step : steps) {
    rows.push_back({one_line(text_of(step, "Created"), kWidth),
                    one_line(text_of(step, "CreatedBy"), options.full ? std::string::npos : kWidth),
                    human_size(step.at("Size").get<std::uint64_t>()),
                    one_line(text_of(step, "Comment"), kWidth)});
  }
  print(format_table(rows));
  return 0;
}

}  // namespace trine::runtime::cli
