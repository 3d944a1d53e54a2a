#include "export/packed_layer.h"

#include <fcntl.h>

#include "base/file.h"
#include "export/gzip_writer.h"
#include "hash.h"

namespace trine::images {

PackedLayer pack_to_file(int directory, PackOptions options, const std::string& temporary, Packing packing) {
  PackedLayer layer{.file = base::open_file(temporary, O_RDWR | O_TMPFILE, 0600)};
  Hash plain("sha256");
  Hash packed("sha256");
  const auto keep = [&](std::span<const char> bytes) {
    packed.update(bytes);
    layer.size += bytes.size();
    base::write_all(layer.file.get(), {bytes.data(), bytes.size()}, "a packed layer in " + temporary);
  };
  if (packing == Packing::kGzip) {
    GzipWriter gzip(keep);
    pack_tree(directory, options, [&](std::span<const char> bytes) {
      plain.update(bytes);
      gzip.write(bytes);
    });
    gzip.finish();
    layer.diff_id = plain.finish();
    layer.digest = packed.finish();
  } else {
    pack_tree(directory, options, keep);
    layer.digest = layer.diff_id = packed.finish();
  }
  return layer;
}

PackedLayer pack_to_file(const std::string& directory, const std::string& temporary, Packing packing) {
  const base::UniqueFd opened = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  return pack_to_file(opened.get(), {}, temporary, packing);
}

}  // namespace trine::images
