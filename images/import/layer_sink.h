#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tar.h"

namespace trine::images {

/// What a layer's members are put into, in the form that overlayfs takes as a lower layer: whiteouts are
/// character devices 0:0, opaque directories carry an attribute. Throws base::Error naming the member.
class LayerSink {
 public:
  virtual ~LayerSink() = default;
  virtual void write(const TarEntry& entry, TarReader& reader) = 0;
  /// What can be done only when all members are known.
  virtual void finish() = 0;
  /// Whether what came out depends on the layers below as well: a hardlink leads there, or the layer leaves
  /// out a directory on the way to its files, which is then as it is below.
  [[nodiscard]] virtual bool depends_on_lower() const = 0;
  /// Devices that were left out, for a user namespace may not make them.
  [[nodiscard]] virtual std::size_t skipped_devices() const { return 0; }
};

/// "./a//b/../c" without what says nothing; ".." stays, for what stands before it may be a symlink.
std::string clean_path(const std::string& path);

/// Directory and last component.
std::pair<std::string, std::string> split_path(const std::string& path);

/// ".wh.name" hides what layers below have; ".wh..wh..opq" all that they have in the directory.
/// Source: OCI image-spec 1.1 layer.md, "Whiteouts".
struct Whiteout {
  std::string hidden;  ///< a path; empty: `directory` is opaque
  std::string directory;
};
/// `path` is clean. Nothing when it is no whiteout; throws Error when it hides nothing that could be.
std::optional<Whiteout> parse_whiteout(const std::string& path);

/// Whether an attribute is the image's to set: the overlay's own marks are ours, and a label of another
/// machine means nothing here.
bool keeps_xattr(std::string_view name);

}  // namespace trine::images
