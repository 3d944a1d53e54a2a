#pragma once

#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "export/layer_packer.h"

namespace trine::images {

enum class Packing { kPlain, kGzip };

/// A layer packed anew, in a file without a name.
struct PackedLayer {
  base::UniqueFd file;
  std::string digest;      ///< of the bytes in the file
  std::uint64_t size = 0;  ///< of these, in bytes
  std::string diff_id;     ///< of the archive before it was compressed
};

/// `directory` as for pack_tree(); the file is made on the file system of the directory `temporary`. The same
/// layer gives the same bytes. Throws Error.
PackedLayer pack_to_file(int directory, PackOptions options, const std::string& temporary, Packing packing);

/// The same for a layer as the store has it.
PackedLayer pack_to_file(const std::string& directory, const std::string& temporary, Packing packing);

}  // namespace trine::images
