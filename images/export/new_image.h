#pragma once

#include <optional>
#include <string>
#include <vector>

#include "export/packed_layer.h"
#include "images/platform.h"
#include "images/store.h"
#include "source.h"

namespace trine::images {

/// What is to be said of an image that is made here.
struct Description {
  std::vector<std::string> changes;  ///< as for apply_changes()
  std::string author;
  std::string message;     ///< in its history
  std::string created_by;  ///< the command that made the layer
};

/// What an importer takes to store the image `base` with one layer more, or with `base` unset an image of one
/// layer for `platform`. `layer` must outlive it. What Docker writes down of the container that an image was
/// made in is not taken over. Throws Error.
ImageSource add_layer(const Store& store, const std::optional<Image>& base, const Platform& platform,
                      const PackedLayer& layer, const Description& description);

}  // namespace trine::images
