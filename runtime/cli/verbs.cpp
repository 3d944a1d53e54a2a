#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "flags.h"
#include "image_verbs.h"
#include "instance_verbs.h"
#include "run_flags.h"
#include "runtime/engine/run.h"
#include "verb.h"
#include "vm_verbs.h"

namespace trine::runtime::cli {
namespace {

int run_run(const engine::Paths& paths, std::vector<std::string> arguments) {
  return engine::run(parse_run(std::move(arguments)), paths);
}

std::vector<FlagText> no_flags() {
  return {};
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"run", "[FLAG]... IMAGE [COMMAND]...", "run an instance of an image",
       "Runs a new instance of IMAGE in the foreground and exits with its exit code. IMAGE is a name or id "
       "in the "
       "store, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, or bundle:DIR for an OCI runtime "
       "bundle. What "
       "stands behind IMAGE is the command.",
       "trine run --rm -it debian sh\ntrine run --rm --memory 64m --network none oci:./image ./job",
       run_flag_texts, run_run},
      {"images", "[FLAG]...", "list the images in the store", "Lists images: names, ids, age and size.",
       "trine images\ntrine images --format json", images_flag_texts, run_images},
      {"load", "[FLAG]... SOURCE", "load images into the store",
       "Loads the images of SOURCE: oci:DIR[:TAG], oci-archive:FILE or docker-archive:FILE. Every blob's "
       "digest is "
       "verified.",
       "trine load docker-archive:web.tar\ntrine load --name web:2 oci:./image", load_flag_texts, run_load},
      {"rmi", "IMAGE...", "remove images from the store",
       "Takes a name away; with the last one, or by id, the image and the layers that no other image needs "
       "go too.",
       "trine rmi web:1\ntrine rmi 3f5a", no_flags, run_rmi},
      {"inspect", "IMAGE|INSTANCE...", "tell all about images and instances", "Prints a JSON array.",
       "trine inspect web\ntrine inspect debian:12", no_flags, run_inspect},
      {"ps", "[FLAG]...", "list instances", "Lists those that run; with --all, those that have ended too.",
       "trine ps\ntrine ps --all --format json", ps_flag_texts, run_ps},
      {"rm", "[FLAG]... INSTANCE...", "remove instances",
       "Removes instances that have ended, with all that they wrote; with --force, running ones too.",
       "trine rm web\ntrine rm --force web", rm_flag_texts, run_rm},
      {"kernel", "import PACKAGE.deb|DIRECTORY | ls | use NAME", "keep kernels for VMs",
       "import packs a stock kernel for guests and makes it the default: Debian's package "
       "linux-image-…-cloud-amd64, or a directory with its boot/vmlinuz-… and lib/modules/…. ls lists those "
       "there are, use makes one the default.",
       "apt-get download linux-image-6.1.0-56-cloud-amd64\ntrine kernel import ./linux-image-*.deb", no_flags,
       run_kernel},
      {"check", "", "tell whether VMs can run here",
       "Looks for all that --isolation vm needs, runs a few instructions in a guest and times them, and says "
       "what is missing and how to get it. Exits with 0 when VMs can run, else with 1.",
       "trine check\ntrine check && trine run --isolation vm debian", no_flags, run_check},
  };
  return table;
}

const Verb& find_verb(std::string_view name) {
  const auto found = std::ranges::find_if(verbs(), [&](const Verb& verb) { return verb.name == name; });
  if (found != verbs().end())
    return *found;
  std::vector<std::string> known{"help", "version", "--help", "--version"};
  for (const auto& verb : verbs())
    known.emplace_back(verb.name);
  const std::string near = args::nearest(name, known);
  throw base::Error("trine has no verb " + std::string(name), 0,
                    near.empty() ? "trine --help lists them" : "did you mean trine " + near + "?");
}

ParsedFlags parse_words(const char* verb, const std::vector<FlagText>& flags,
                        std::vector<std::string> arguments) {
  ParsedFlags parsed = args::parse_words(std::string("trine ") + verb, flags, std::move(arguments));
  if (!parsed.help)
    return parsed;
  print(help_text(find_verb(verb)));
  ::exit(0);
}

}  // namespace trine::runtime::cli
