#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "export/commands.h"
#include "images/name.h"

/// trine-images: the part of trine that reads what strangers packed, and packs. A program of its own, so that
/// running an image that is stored loads neither its libraries nor its mistakes.
///
///   trine-images --store DIR --mounts DIR VERB [OPTION VALUE]... [WORD]...
///
/// --mounts is where layers get mounted. What the verbs print, and what words they take:
///
///   load SOURCE      a line for each image: its manifest's digest and its names, separated by blanks
///   save IMAGE...    the images as one archive, on the standard output; or nothing, with --output
///   import FILE|-    the line of an image that is made of an archive
///   commit DIGEST    the same, of an image with what an instance has written; --upper is where that is
///   export DIGEST    the file system of that instance as an archive
///   diff DIGEST      a line for each path that it has changed
///   check            what is wrong with the store and what was done; exits with 1 when damage is left
namespace {

namespace images = trine::images;
using images::Command;
using trine::base::Error;
using Text = const std::string&;

struct Option {
  const char* name;
  bool has_value;
  void (*apply)(Command& command, Text value);
};
constexpr Option kOptions[] = {
    {"--store", true, [](Command& c, Text v) { c.store = v; }},
    {"--mounts", true, [](Command& c, Text v) { c.mounts = v; }},
    {"--name", true, [](Command& c, Text v) { c.names.push_back(images::normalize_name(v)); }},
    {"--platform", true, [](Command& c, Text v) { c.platform = images::parse_platform(v); }},
    {"--format", true, [](Command& c, Text v) { c.format = v; }},
    {"--output", true, [](Command& c, Text v) { c.output = v; }},
    {"--upper", true, [](Command& c, Text v) { c.upper = v; }},
    {"--change", true, [](Command& c, Text v) { c.description.changes.push_back(v); }},
    {"--message", true, [](Command& c, Text v) { c.description.message = v; }},
    {"--author", true, [](Command& c, Text v) { c.description.author = v; }},
    {"--created-by", true, [](Command& c, Text v) { c.description.created_by = v; }},
    {"--changing", false, [](Command& c, Text) { c.changing = true; }},
    {"--signature-policy", true, [](Command& c, Text v) { c.signature_policy = v; }},
    {"--quiet", false, [](Command& c, Text) { c.quiet = true; }},
    {"--repair", false, [](Command& c, Text) { c.repair = true; }},
};

struct Verb {
  const char* name;
  std::size_t least, most;  ///< words behind it
  int (*run)(const Command& command);
};
constexpr std::size_t kMany = 100'000;
constexpr Verb kVerbs[] = {
    {"load", 1, 1, images::load},     {"save", 1, kMany, images::save}, {"check", 0, 0, images::check},
    {"import", 1, 1, images::import}, {"commit", 1, 1, images::commit}, {"export", 1, 1, images::export_tree},
    {"diff", 1, 1, images::diff},
};

/// Options end at "--"; the first word is the verb.
Command parse(const std::vector<std::string>& words) {
  Command command;
  bool options = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!options || !words[i].starts_with("--")) {
      command.words.push_back(words[i]);
      continue;
    }
    if (words[i] == "--") {
      options = false;
      continue;
    }
    const auto* option =
        std::ranges::find(kOptions, words[i], [](const Option& o) { return std::string(o.name); });
    if (option == std::end(kOptions) || (option->has_value && i + 1 == words.size()))
      throw Error("trine-images does not take " + words[i]);
    option->apply(command, option->has_value ? words[++i] : "");
  }
  return command;
}

int run(const std::vector<std::string>& words) {
  Command command = parse(words);
  const std::string name = command.words.empty() ? "" : command.words.front();
  const auto* verb = std::ranges::find(kVerbs, name, [](const Verb& v) { return std::string(v.name); });
  const std::size_t count = command.words.empty() ? 0 : command.words.size() - 1;
  if (verb == std::end(kVerbs) || command.store.empty() || count < verb->least || count > verb->most)
    throw Error("usage: trine-images --store DIR --mounts DIR VERB [OPTION VALUE]... [WORD]...");
  command.words.erase(command.words.begin());
  return verb->run(command);
}

}  // namespace

int main(int count, char** words) {
  ::umask(0);
  try {
    return run({words + 1, words + count});
  } catch (const Error& error) {
    trine::base::print_error(error);
  } catch (const std::exception& error) {
    trine::base::print_error(error.what());
  }
  return 125;
}
