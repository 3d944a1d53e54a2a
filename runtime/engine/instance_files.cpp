#include "runtime/engine/instance_files.h"

#include <unistd.h>

#include "base/error.h"
#include "image_helper.h"
#include "layout.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {
namespace {

constexpr const char* kImages = "trine-images";

using Words = std::vector<std::string>;

Words command(const Paths& paths, const char* verb) {
  return {"--store", paths.lib + "/images", "--mounts", paths.run + "/layers", verb};
}

void add(Words& words, const char* option, const std::string& value) {
  if (!value.empty())
    words.insert(words.end(), {option, value});
}

void add(Words& words, const ImageRequest& request) {
  add(words, "--name", request.name);
  add(words, "--message", request.message);
  add(words, "--author", request.author);
  add(words, "--platform", request.platform);
  for (const auto& change : request.changes)
    add(words, "--change", change);
}

/// The instance's writable layer and its image. The layer stays as long as the descriptor lives.
base::UniqueFd add(Words& words, const Paths& paths, const Record& record) {
  const std::string upper = lib_root(paths) + "/" + record.id + "/upper";
  if (!record.bundle.empty()) {
    throw base::Error(
        "the instance " + record.name + " has no image: it was made from the bundle " + record.bundle, 0,
        "its files are there");
  }
  if (::access(upper.c_str(), F_OK) != 0) {
    throw base::Error("the instance " + record.name + " has no writable layer on this host", 0,
                      "that of a VM goes with it; run it with --isolation container");
  }
  base::UniqueFd hold = hold_layer(paths, record.id);
  words.insert(words.end(), {"--upper", upper});
  // While it lives it has a directory there.
  if (::access((run_root(paths) + "/" + record.id).c_str(), F_OK) == 0)
    words.emplace_back("--changing");
  words.insert(words.end(), {"--", record.image_digest});
  return hold;
}

std::string text_of(const Words& command) {
  std::string text;
  for (const auto& word : command)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

int export_instance(const Paths& paths, const std::string& reference, const std::string& file) {
  Words words = command(paths, "export");
  const base::UniqueFd hold = add(words, paths, find_instance(paths, reference));
  return run_helper_into(file, kImages, words);
}

int diff_instance(const Paths& paths, const std::string& reference) {
  Words words = command(paths, "diff");
  const base::UniqueFd hold = add(words, paths, find_instance(paths, reference));
  return run_helper(kImages, words);
}

int commit_instance(const Paths& paths, const std::string& reference, const ImageRequest& request) {
  const Record record = find_instance(paths, reference);
  Words words = command(paths, "commit");
  add(words, request);
  add(words, "--created-by", text_of(record.command));
  const base::UniqueFd hold = add(words, paths, record);
  return run_helper(kImages, words);
}

int import_image(const Paths& paths, const std::string& source, const ImageRequest& request) {
  Words words = command(paths, "import");
  add(words, request);
  words.insert(words.end(), {"--", source});
  return run_helper(kImages, words);
}

}  // namespace trine::runtime::engine
