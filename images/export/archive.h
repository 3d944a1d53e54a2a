#pragma once

#include <string>
#include <vector>

#include "export/tar_writer.h"
#include "images/store.h"

namespace trine::images {

/// Writes images as one tar archive that is an OCI layout and, by its manifest.json, what `docker load`
/// reads. Layers are packed anew, plain, each once: an image whose layers were packed by another tool gets a
/// new id. `temporary`: a directory for them meanwhile. Throws Error. Source: OCI image-spec 1.1
/// image-layout.md; Docker Image Specification v1.2 for manifest.json.
void write_archive(const Store& store, const std::vector<Image>& images, const std::string& temporary,
                   const ByteSink& sink);

}  // namespace trine::images
