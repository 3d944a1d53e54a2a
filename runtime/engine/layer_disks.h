#pragma once

#include <string>
#include <vector>

#include "images/store.h"
#include "runtime/engine/paths.h"

namespace trine::runtime::engine {

/// The layers of an image as disks of read-only EROFS, topmost first: files that every VM of every image with
/// that layer shares. They are the store's own where it keeps layers as images. Of a layer that is a
/// directory, because this host's kernel cannot mount images, one is made once. The image is leased by the
/// caller. Throws base::Error when the program that makes them is missing, or fails.
std::vector<std::string> make_layer_disks(const Paths& paths, const images::Image& image);

}  // namespace trine::runtime::engine
