#pragma once

#include <string>
#include <vector>

#include "images/store.h"
#include "runtime/engine/paths.h"
#include "runtime/engine/run_options.h"

namespace trine::runtime::engine {

/// The store of images below `paths`.
images::Store open_store(const Paths& paths);

/// Whether `image` names a place to load from ("oci:DIR", "docker-archive:FILE"), not an image in the store.
bool is_transport(const std::string& image);

/// Without "docker://" before it.
std::string without_docker(const std::string& image);

/// Those places, for messages: "oci:DIR[:TAG], dir:DIR, …".
extern const char* const kTransportsText;

/// Has the helper program trine-images load `source` into the store, under `names` if there are any, and
/// returns the lines it prints: digest and names. Its messages go to standard error. Throws Error when it
/// cannot be run; ends the process with the helper's exit code when it fails, for it has said why.
struct LoadRequest {
  std::string source;
  std::vector<std::string> names;
  std::string platform;          ///< "linux/arm64"; empty: this machine's
  std::string signature_policy;  ///< a file; empty: where containers-policy.json(5) has it
  bool quiet = false;
};
std::vector<std::string> load_images(const Paths& paths, const LoadRequest& request);

/// Has the helper program trine-registry do what `words` say ("push", "--quiet", "web:1"), and returns the
/// lines it prints. Its messages go to standard error, its questions to the terminal. Fails as load_images()
/// does.
std::vector<std::string> run_registry(const Paths& paths, const std::vector<std::string>& words);

/// Pulls images, with or without "docker://" before their names; a line for each: its digest, a blank, its
/// name.
std::vector<std::string> pull_images(const Paths& paths, const std::vector<std::string>& options,
                                     const std::vector<std::string>& names);

/// Has trine-registry verify the signatures of an image, with or without "docker://" before its name; a line
/// for each thing that was verified. Ends the process with 1 when it is not signed as it must be.
std::vector<std::string> verify_image(const Paths& paths, const std::vector<std::string>& options,
                                      const std::string& name);

/// The image that a user means, from the store, or loaded into it when the name says where from. Throws Error
/// when there is none.
images::Image find_image(const Paths& paths, const images::Store& store, const std::string& image);

/// The image to run: from the store, brought into it first when that is what the name or the options say, or
/// when the one that is there is not for the platform. Throws Error when there is none, or when the signature
/// policy rejects it.
images::Image resolve_image(const Paths& paths, const images::Store& store, const RunOptions& options);

}  // namespace trine::runtime::engine
