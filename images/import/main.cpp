#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "checker.h"
#include "images/name.h"
#include "importer.h"

/// trine-images: the part of trine that reads what strangers packed. A program of its own, so that running an
/// image that is stored loads neither its libraries nor its mistakes.
///
///   trine-images --store DIR load [--quiet] [--name NAME]... SOURCE
///
/// prints a line for each image: its manifest's digest and its names, separated by blanks.
///
///   trine-images --store DIR check [--repair]
///
/// prints what is wrong with the store and what was done, and exits with 1 when damage is left. MOUNTS is
/// where layers are mounted.
namespace {

namespace images = trine::images;
using trine::base::Error;

struct Arguments {
  std::string store;
  std::string source;
  std::vector<std::string> names;
  bool quiet = false;
  bool check = false;
  bool repair = false;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  bool load = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    if (words[i] == "--store" && !last) {
      arguments.store = words[++i];
    } else if (words[i] == "--name" && !last) {
      arguments.names.push_back(images::normalize_name(words[++i]));
    } else if (words[i] == "--quiet") {
      arguments.quiet = true;
    } else if (words[i] == "--repair") {
      arguments.repair = true;
    } else if ((words[i] == "load" || words[i] == "check") && !load) {
      load = true;
      arguments.check = words[i] == "check";
    } else {
      arguments.source = words[i];
    }
  }
  if (!load || arguments.store.empty() || arguments.source.empty() != arguments.check) {
    throw Error("usage: trine-images --store DIR load [--quiet] [--name NAME]... SOURCE | check [--repair]");
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

std::vector<images::ImageSource> read(const std::string& source, const std::string& temporary,
                                      std::unique_ptr<images::FileSet>& files) {
  const auto colon = source.find(':');
  const std::string transport = source.substr(0, colon);
  const auto [path, tag] = split_tag(colon == std::string::npos ? "" : source.substr(colon + 1));
  if (transport == "oci") {
    files = images::open_directory(path);
    return images::read_oci_layout(*files, tag, path);
  }
  if (transport != "oci-archive" && transport != "docker-archive") {
    throw Error("cannot load " + source + ": there is no such transport", 0,
                "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]");
  }
  files = images::open_archive(path, temporary);
  return transport == "oci-archive" ? images::read_oci_layout(*files, tag, path)
                                    : images::read_docker_archive(*files, tag, path);
}

void load(const Arguments& arguments) {
  images::Importer importer(arguments.store, arguments.quiet);
  std::unique_ptr<images::FileSet> files;
  const auto found = read(arguments.source, importer.temporary(), files);
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
    if (arguments.check)
      return check(arguments);
    load(arguments);
    return 0;
  } catch (const Error& error) {
    trine::base::print_error(error);
  } catch (const std::exception& error) {
    trine::base::print_error(error.what());
  }
  return 125;
}
