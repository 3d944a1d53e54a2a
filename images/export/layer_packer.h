#pragma once

#include <string>

#include "export/tar_writer.h"

namespace trine::images {

/// What a directory is, and so what its archive is to be.
enum class Tree {
  kLayer,  ///< a layer in overlayfs' form: an archive as images are shipped, with whiteouts and opaque marks
  kRoot,   ///< a whole file system: an archive of what is there
};

struct PackOptions {
  Tree tree = Tree::kLayer;
  /// Somebody may write to it meanwhile: what vanishes is left out, and a file that shrinks ends with zeroes.
  bool changing = false;
};

/// Packs a directory into a tar archive. Sorted, so that the same tree gives the same bytes. Each file is
/// opened once, beneath its directory and not through links, and all is asked of its descriptor. Sockets are
/// left out. Throws Error naming the file; also for a layer that only the overlay it was written by can read
/// (redirected directories, data left below), and for names that images give a meaning to.
/// Source: OCI image-spec 1.1 layer.md; Linux Documentation/filesystems/overlayfs.rst.
void pack_tree(int directory, PackOptions options, const ByteSink& sink);

/// The same for a layer as the store has it.
void pack_layer(const std::string& directory, const ByteSink& sink);

}  // namespace trine::images
