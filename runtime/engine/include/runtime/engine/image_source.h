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

/// Has the helper program trine-images load `source` into the store, under `names` if there are any, and
/// returns the digests it reports. `signature_policy` is a file, or empty for where containers-policy.json(5)
/// has it. Its messages go to standard error. Throws Error when it cannot be run; ends the process with the
/// helper's exit code when it fails, for it has said why.
std::vector<std::string> load_images(const Paths& paths, const std::string& source,
                                     const std::vector<std::string>& names, bool quiet,
                                     const std::string& signature_policy);

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

/// The image to run: from the store, brought into it first when that is what the name or the options say.
/// Throws Error when there is none, or when the signature policy rejects it.
images::Image resolve_image(const Paths& paths, const images::Store& store, const RunOptions& options);

}  // namespace trine::runtime::engine
