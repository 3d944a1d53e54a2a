#pragma once

#include <string>

#include "export/packed_layer.h"

namespace trine::images {

/// Reads an archive once, from a file, or from the standard input for "-", undoes its compression (gzip and
/// zstd, and with the programs of those names xz and bzip2), and keeps it plain in a file without a name
/// below `temporary`. Whether it is an archive is for its importer to tell. Throws Error.
PackedLayer read_archive(const std::string& source, const std::string& temporary);

}  // namespace trine::images
