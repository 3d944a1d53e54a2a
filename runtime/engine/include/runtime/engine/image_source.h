#pragma once

#include <string>
#include <vector>

#include "images/store.h"
#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// The store of images below `paths`.
images::Store open_store(const Paths& paths);

/// Whether `image` names a place to load from ("oci:DIR", "docker-archive:FILE"), not an image in the store.
bool is_transport(const std::string& image);

/// Has the helper program trine-images load `source` into the store, under `names` if there are any, and
/// returns the digests it reports. Its messages go to standard error. Throws Error when it cannot be run;
/// ends the process with the helper's exit code when it fails, for it has said why.
std::vector<std::string> load_images(const Paths& paths, const std::string& source,
                                     const std::vector<std::string>& names, bool quiet);

/// The image that a user means: from the store, loaded into it first when that is what the name says.
/// Throws Error when there is none.
images::Image resolve_image(const Paths& paths, const images::Store& store, const std::string& image);

}  // namespace trine::runtime::engine
