#pragma once

#include <string>

#include "export/tar_writer.h"

namespace trine::images {

/// Packs a layer as the store has it, a directory in overlayfs' form, into a tar archive as images are
/// shipped: character devices 0:0 become whiteouts, opaque directories get their mark. Sorted, so that the
/// same layer gives the same bytes. Throws Error naming the file. Source: OCI image-spec 1.1 layer.md.
void pack_layer(const std::string& directory, const ByteSink& sink);

}  // namespace trine::images
