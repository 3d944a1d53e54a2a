#include "file_verbs.h"

#include <unistd.h>

#include "base/error.h"
#include "flags.h"
#include "images/name.h"
#include "images/platform.h"
#include "isolation/rootless.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/instance_files.h"

// Verbs about the files of instances, and images that are made of files.

namespace trine::runtime::cli {
namespace {

using engine::ImageRequest;
using Text = const std::string&;

constexpr Flag<ImageRequest> kChange{
    {"-c,--change", "INSTRUCTION", "Flags",
     "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR"},
    [](ImageRequest& r, Text v) { r.changes.push_back(v); }};
constexpr Flag<ImageRequest> kMessage{{"-m,--message", "TEXT", "Flags", "a comment in the image's history"},
                                      [](ImageRequest& r, Text v) { r.message = v; }};

constexpr Flag<ImageRequest> kImportFlags[] = {
    kChange,
    kMessage,
    {{"--platform", "OS/ARCH[/VARIANT]", "Flags", "what it is for (default: this machine's)"},
     [](ImageRequest& r, Text v) { r.platform = images::parse_platform(v).text(); }}};
constexpr Flag<ImageRequest> kCommitFlags[] = {
    kChange, kMessage, {{"-a,--author", "TEXT", "Flags", "who made it"}, [](ImageRequest& r, Text v) {
                          r.author = v;
                        }}};

struct ExportOptions {
  std::string output;
};
constexpr Flag<ExportOptions> kExportFlags[] = {
    {{"-o,--output", "FILE", "Flags", "write to FILE, in place of the standard output"},
     [](ExportOptions& o, Text v) { o.output = v; }},
};

/// The words, and a name that may stand behind them; it is checked before anything is done.
void take_name(const char* verb, const char* what, const std::vector<std::string>& words,
               ImageRequest& request) {
  if (words.empty() || words.size() > 2)
    throw base::Error(std::string("trine ") + verb + " needs " + what + ", and one name at most", 0,
                      std::string("trine ") + verb + " --help");
  if (words.size() == 2)
    request.name = images::normalize_name(words[1]);
}

void require_one(const char* verb, const std::vector<std::string>& words) {
  if (words.size() != 1)
    throw base::Error(std::string("trine ") + verb + " needs one instance", 0,
                      std::string("trine ") + verb + " --help");
}

void enter(const engine::Paths& paths) {
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  engine::open_store(paths).repair();
}

}  // namespace

std::vector<FlagText> import_flag_texts() {
  return flag_texts(kImportFlags);
}
std::vector<FlagText> export_flag_texts() {
  return flag_texts(kExportFlags);
}
std::vector<FlagText> commit_flag_texts() {
  return flag_texts(kCommitFlags);
}

int run_import(const engine::Paths& paths, std::vector<std::string> arguments) {
  ImageRequest request;
  const auto words = parse_flags("import", kImportFlags, std::move(arguments), request);
  take_name("import", "an archive", words, request);
  if (words.front() == "-" && ::isatty(STDIN_FILENO) == 1) {
    throw base::Error("trine import does not read an archive from a terminal", 0,
                      "name a file, or redirect the input");
  }
  enter(paths);
  return engine::import_image(paths, words.front(), request);
}

int run_export(const engine::Paths& paths, std::vector<std::string> arguments) {
  ExportOptions options;
  const auto words = parse_flags("export", kExportFlags, std::move(arguments), options);
  require_one("export", words);
  if (options.output.empty() && ::isatty(STDOUT_FILENO) == 1) {
    throw base::Error("trine export does not write an archive to a terminal", 0,
                      "name a file, as in -o root.tar, or redirect the output");
  }
  enter(paths);
  return engine::export_instance(paths, words.front(), options.output);
}

int run_diff(const engine::Paths& paths, std::vector<std::string> arguments) {
  const auto words = parse_words("diff", {}, std::move(arguments)).rest;
  require_one("diff", words);
  enter(paths);
  return engine::diff_instance(paths, words.front());
}

int run_commit(const engine::Paths& paths, std::vector<std::string> arguments) {
  ImageRequest request;
  const auto words = parse_flags("commit", kCommitFlags, std::move(arguments), request);
  take_name("commit", "an instance", words, request);
  enter(paths);
  return engine::commit_instance(paths, words.front(), request);
}

}  // namespace trine::runtime::cli
