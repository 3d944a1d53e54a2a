#pragma once

#include <optional>
#include <string>

#include "images/platform.h"
#include "source.h"

namespace trine::images {

/// How a kind of source calls what it holds of an image. `digest` is checked.
struct Places {
  std::string (*blob)(const std::string& digest);      ///< a configuration or a layer
  std::string (*manifest)(const std::string& digest);  ///< a manifest that an index names
};

/// A manifest or an index, whose digest is that of its text.
struct Document {
  std::string text;
  std::string digest;
};

/// The whole of a small file; nothing when there is none. Throws Error when it is larger than kMaxDocument.
std::optional<std::string> read_document(FileSet& files, const std::string& path);
/// The manifest or index that an index names, held to its size and digest.
Document read_document(FileSet& files, const Places& places, const Descriptor& descriptor);

/// What `manifest`, or of an index the manifest for `platform`, says of an image, and where its layers are
/// among `files`. `name` is for messages. Throws Error.
ImageSource describe_image(FileSet& files, const Places& places, Document manifest, const Platform& platform,
                           const std::string& name);

}  // namespace trine::images
