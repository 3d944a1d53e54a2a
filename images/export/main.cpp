#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "archive_policy.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "checker.h"
#include "export/archive.h"
#include "images/name.h"
#include "importer.h"

/// trine-images: the part of trine that reads what strangers packed, and packs. A program of its own, so that
/// running an image that is stored loads neither its libraries nor its mistakes.
///
///   trine-images --store DIR load [--quiet] [--signature-policy FILE] [--name NAME]... SOURCE
///
/// prints a line for each image: its manifest's digest and its names, separated by blanks.
///
///   trine-images --store DIR --mounts DIR save IMAGE...
///
/// writes the images as one archive to the standard output. --mounts is where layers get mounted.
///
///   trine-images --store DIR check [--repair]
///
/// prints what is wrong with the store and what was done, and exits with 1 when damage is left.
namespace {

namespace images = trine::images;
using trine::base::Error;

struct Arguments {
  std::string store;
  std::string mounts;
  std::string verb;
  std::vector<std::string> words;  ///< behind the verb
  std::vector<std::string> names;
  std::string signature_policy;
  bool quiet = false;
  bool repair = false;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    if (words[i] == "--store" && !last)
      arguments.store = words[++i];
    else if (words[i] == "--mounts" && !last)
      arguments.mounts = words[++i];
    else if (words[i] == "--name" && !last)
      arguments.names.push_back(images::normalize_name(words[++i]));
    else if (words[i] == "--signature-policy" && !last)
      arguments.signature_policy = words[++i];
    else if (words[i] == "--quiet")
      arguments.quiet = true;
    else if (words[i] == "--repair")
      arguments.repair = true;
    else if (arguments.verb.empty())
      arguments.verb = words[i];
    else
      arguments.words.push_back(words[i]);
  }
  const bool complete = (arguments.verb == "load" && arguments.words.size() == 1) ||
                        (arguments.verb == "save" && !arguments.words.empty()) ||
                        (arguments.verb == "check" && arguments.words.empty());
  if (arguments.store.empty() || !complete) {
    throw Error(
        "usage: trine-images --store DIR load [--quiet] [--signature-policy FILE] [--name NAME]... SOURCE | "
        "--mounts DIR save IMAGE... | check [--repair]");
  }
  return arguments;
}

/// "DIR:TAG" -> both; a colon that belongs to the path stays, when there is such a file.
std::pair<std::string, std::string> split_tag(const std::string& text) {
  if (::access(text.c_str(), F_OK) == 0)
    return {text, ""};
  const auto slash = text.find_last_of('/');
  const auto colon = text.find(':', slash == std::string::npos ? 0 : slash);
  if (colon == std::string::npos)
    return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::vector<images::ImageSource> read(const std::string& source, const std::string& policy,
                                      const std::string& temporary, std::unique_ptr<images::FileSet>& files) {
  const auto colon = source.find(':');
  const std::string transport = source.substr(0, colon);
  const auto [path, tag] = split_tag(colon == std::string::npos ? "" : source.substr(colon + 1));
  if (transport == "oci") {
    images::require_loadable(policy, transport, path, tag);
    files = images::open_directory(path);
    return images::read_oci_layout(*files, tag, path);
  }
  if (transport != "oci-archive" && transport != "docker-archive") {
    throw Error("cannot load " + source + ": there is no such transport", 0,
                "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]");
  }
  images::require_loadable(policy, transport, path, tag);
  files = images::open_archive(path, temporary);
  return transport == "oci-archive" ? images::read_oci_layout(*files, tag, path)
                                    : images::read_docker_archive(*files, tag, path);
}

void load(const Arguments& arguments) {
  images::Importer importer(arguments.store, arguments.quiet);
  std::unique_ptr<images::FileSet> files;
  const auto found = read(arguments.words.front(), arguments.signature_policy, importer.temporary(), files);
  if (found.size() > 1 && !arguments.names.empty()) {
    throw Error("cannot call " + std::to_string(found.size()) + " images by one name", 0, "load one of them");
  }
  std::string output;
  for (const auto& image : found) {
    const auto& names = arguments.names.empty() ? image.names : arguments.names;
    importer.add(image, names);
    output += image.manifest_digest;
    for (const auto& name : names)
      output += " " + images::normalize_name(name);
    output += "\n";
  }
  trine::base::write_all(STDOUT_FILENO, output, "the standard output");
}

void save(const Arguments& arguments) {
  const images::Store store(arguments.store, arguments.mounts);
  std::vector<images::Image> found;
  for (const auto& reference : arguments.words) {
    auto image = store.find(reference);
    if (!image)
      throw Error("there is no image " + reference + " in the store", 0, "trine images lists them");
    found.push_back(std::move(*image));
  }
  const images::Importer temporary(arguments.store, true);  // a directory of our own, which goes with us
  images::write_archive(store, found, temporary.temporary(), [](std::span<const char> bytes) {
    trine::base::write_all(STDOUT_FILENO, {bytes.data(), bytes.size()}, "the archive");
  });
}

int check(const Arguments& arguments) {
  const auto report = images::Checker(arguments.store).run(arguments.repair);
  std::string output;
  for (const auto& line : report.found)
    output += "damage: " + line + "\n";
  for (const auto& line : report.done)
    output += "repair: " + line + "\n";
  for (const auto& line : report.left)
    output += "left: " + line + "\n";
  if (report.found.empty() && report.left.empty())
    output += "the store is sound\n";
  trine::base::write_all(STDOUT_FILENO, output, "the standard output");
  return report.left.empty() && (arguments.repair || report.found.empty()) ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  ::umask(0);
  try {
    const Arguments arguments = parse({words + 1, words + count});
    if (arguments.verb == "check")
      return check(arguments);
    if (arguments.verb == "save")
      save(arguments);
    else
      load(arguments);
    return 0;
  } catch (const Error& error) {
    trine::base::print_error(error);
  } catch (const std::exception& error) {
    trine::base::print_error(error.what());
  }
  return 125;
}
