#pragma once

#include <string>
#include <vector>

#include "export/file_output.h"
#include "images/store.h"

// Images as others read them. Layers are packed anew, plain, each once: an image whose layers were packed by
// another tool gets a new id. `temporary`: a directory for them meanwhile. All throw Error.
namespace trine::images {

/// Writes images as an OCI layout that is also, by its manifest.json, what `docker load` reads from an
/// archive. Source: OCI image-spec 1.1 image-layout.md; Docker Image Specification v1.2 for manifest.json.
void write_layout(const Store& store, const std::vector<Image>& images, const std::string& temporary,
                  FileOutput& output);

/// Writes one image as skopeo's dir: has it: the manifest, the configuration and the layers side by side,
/// blobs called by their digests' digits. Source: containers-transports(5).
void write_dir(const Store& store, const Image& image, const std::string& temporary, FileOutput& output);

}  // namespace trine::images
