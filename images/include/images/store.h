#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "images/mounted_layers.h"

/// The store of images, as the run path sees it: names, configurations and layer directories. This header and
/// what implements it use no decompression, hashing or HTTP library.
namespace trine::images {

/// The part of an image's configuration that says how to run it.
/// Source: OCI image-spec 1.1 config.md.
struct ImageConfig {
  std::string os, architecture, variant;
  std::vector<std::string> env, entrypoint, cmd;
  std::string working_dir, user, stop_signal;
  std::vector<std::string> volumes, exposed_ports;
  std::map<std::string, std::string> labels;
  std::string created;
};

struct Image {
  std::vector<std::string> names;   ///< "busybox:latest"; may be empty
  std::string digest;               ///< of the manifest, "sha256:…"
  std::string id;                   ///< digest of the configuration
  std::vector<std::string> layers;  ///< absolute paths, topmost first: EROFS images in files, or directories
  std::uint64_t size = 0;           ///< bytes of its layers as they were shipped
  ImageConfig config;
};

/// What a store takes on the disk, in bytes of blocks.
struct StoreUsage {
  std::size_t images = 0;
  std::size_t layers = 0;
  std::uint64_t bytes = 0;        ///< of all layers
  std::uint64_t reclaimable = 0;  ///< of layers that no image with a name needs, and of dead imports
};

class Store {
 public:
  /// `root`: /var/lib/trine/images, or $XDG_DATA_HOME/trine/images. `mounts`: where layers that are images
  /// get mounted, /run/trine/layers. Nothing is made until something is stored.
  Store(std::string root, std::string mounts);

  /// By name ("busybox" means "busybox:latest"), by digest, or by an unambiguous prefix of the id (4 or more
  /// hexadecimal digits). Throws Error when the store is damaged or the prefix is ambiguous.
  [[nodiscard]] std::optional<Image> find(const std::string& reference) const;
  [[nodiscard]] std::vector<Image> list() const;

  /// The manifest and the configuration as they were stored, for `inspect`.
  [[nodiscard]] std::string manifest_json(const Image& image) const;
  [[nodiscard]] std::string config_json(const Image& image) const;

  /// Holds the image's layers against removal for as long as the descriptor lives, across processes and
  /// kill -9 (a shared flock).
  [[nodiscard]] base::UniqueFd lease(const Image& image) const;

  /// The image's layers as directories, for an overlay; mounts those that are EROFS images and are not
  /// mounted yet. Hold a lease meanwhile. Throws Error.
  [[nodiscard]] MountedLayers mount_layers(const Image& image) const;
  /// Undoes that for those who were killed.
  void unmount_unused() const;

  /// Takes a name away; the last name, or an id or digest, removes the image and the layers no other image
  /// uses. Returns one line for each thing done ("Untagged: …", "Deleted: …"). Throws Error when it is
  /// leased.
  std::vector<std::string> remove(const std::string& reference);

  /// Removes what an import that was killed left behind. Cheap when there is nothing; never touches an
  /// import that is alive.
  void repair();

  [[nodiscard]] StoreUsage usage() const;

  /// How new layers are kept, and why ("erofs: this kernel mounts EROFS images from files"); empty before the
  /// first import.
  [[nodiscard]] std::string layer_form() const;

  /// Removes images without a name, or with `all` every image, but none that is leased or of which `in_use`
  /// says so, and then what no image needs. Returns a line for each thing done.
  std::vector<std::string> prune(bool all, const std::function<bool(const Image&)>& in_use);

  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  std::string root_;
  std::string mounts_;
};

}  // namespace trine::images
