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
  bool swap_is_default = false;  ///< the swap limit in `spec` is Docker's rule, not the user's wish
  bool default_seccomp = false;  ///< with the profile for the capabilities in `spec`
  std::string stop_signal;
};

/// Docker's rules. `short_id` is the host name when the options give none. An image's volumes stay in the
/// writable layer; with a read-only root each is a tmpfs that begins with what the image has there. Throws
/// base::Error naming the flag.
ImageSpec make_image_spec(const images::ImageConfig& image, const RunOptions& options,
                          const std::string& short_id);

}  // namespace trine::runtime::engine
