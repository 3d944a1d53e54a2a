#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "bytes.h"
#include "document.h"
#include "images/platform.h"

namespace trine::images {

/// Where a blob's bytes are.
struct Location {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Files by name: a directory, or an archive read in place.
class FileSet {
 public:
  virtual ~FileSet() = default;
  /// Nothing when there is no such file. Throws Error when it is there but no regular file.
  virtual std::optional<Location> find(const std::string& path) = 0;
};

std::unique_ptr<FileSet> open_directory(const std::string& directory);
/// A tar archive, compressed or not; a compressed one is unpacked into an unnamed file below `temporary`.
std::unique_ptr<FileSet> open_archive(const std::string& file, const std::string& temporary);

/// A layer whose bytes are still on their way.
class LayerStream {
 public:
  virtual ~LayerStream() = default;
  /// Returns when this process may unpack it; until then another fetches it.
  virtual void wait() = 0;
  /// Its bytes, from the first; reading waits for those that have not come.
  virtual std::unique_ptr<ByteSource> open() = 0;
  /// The layer is in the store, by our doing or another's: what was kept to read it again may go.
  virtual void stored() = 0;
};

/// One layer as the image ships it.
struct LayerSource {
  Location location;
  LayerStream* stream = nullptr;  ///< in place of location.fd and offset
  std::string digest;             ///< of the bytes there; empty: not told (docker-archive)
  std::string diff_id;            ///< of the layer uncompressed
  std::string chain_id;           ///< of this layer on those below it; set_chain_ids()
};

/// Source: OCI image-spec 1.1 config.md, "Layer ChainID". `layers`: lowest first.
void set_chain_ids(std::vector<LayerSource>& layers);

/// One image to be loaded: its documents, verified, and where its layers are.
struct ImageSource {
  std::vector<std::string> names;
  std::string manifest;  ///< text
  std::string manifest_digest;
  std::string configuration;  ///< text
  std::string configuration_digest;
  ImageConfig config;
  std::vector<LayerSource> layers;  ///< lowest first
};

// Of an image for several platforms, all of these take the one for `platform`, and refuse an image for
// another.

/// The image of an OCI layout that `tag` names, or its only one. Throws Error that lists the tags otherwise.
std::vector<ImageSource> read_oci_layout(FileSet& files, const std::string& tag, const Platform& platform,
                                         const std::string& name);

/// The images of what `docker save` and `podman save` write, or the one called `tag`.
std::vector<ImageSource> read_docker_archive(FileSet& files, const std::string& tag, const Platform& platform,
                                             const std::string& name);

/// The image of a directory as `skopeo copy … dir:DIR` makes it: manifest.json, and beside it blobs called by
/// their digests' digits; with an index, its manifests are <digits>.manifest.json. It has no name.
/// Source: containers-transports(5).
std::vector<ImageSource> read_dir(FileSet& files, const Platform& platform, const std::string& name);

}  // namespace trine::images
