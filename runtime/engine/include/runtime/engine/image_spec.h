#pragma once

#include <string>
#include <vector>

#include "images/store.h"
#include "runtime/engine/run_options.h"
#include "runtime/oci/spec.h"

namespace trine::runtime::engine {

/// What a container of an image is to be: defaults, then the image's configuration, then the user's options.
struct ImageSpec {
  oci::Spec spec;
  std::string user;              ///< Docker's text, to be resolved in the root
  bool default_seccomp = false;  ///< with the profile for the capabilities in `spec`
  std::string stop_signal;
};

/// `host_name` is taken when the options give none. Throws base::Error naming the flag.
ImageSpec make_image_spec(const images::ImageConfig& image, const RunOptions& options,
                          const std::string& host_name);

}  // namespace trine::runtime::engine
