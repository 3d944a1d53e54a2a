#pragma once

#include <string>
#include <vector>

#include "source.h"

namespace trine::images {

/// Puts images into a store. An import that ends at any point leaves the store as it was; what is left of one
/// that was killed is removed by the next Store::repair().
class Importer {
 public:
  Importer(std::string store, bool quiet);
  ~Importer();
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  /// A directory of this import's own, for what is unpacked on the way.
  [[nodiscard]] const std::string& temporary() const { return temporary_; }

  /// Whether the store has the layer already.
  [[nodiscard]] bool has(const LayerSource& layer) const;

  /// Unpacks the layers that are not there yet, verifies all, and records the image under `names`.
  void add(const ImageSource& image, const std::vector<std::string>& names);

 private:
  bool add_layer(const LayerSource& layer, const std::vector<std::string>& lower);
  void unpack(const LayerSource& layer, ByteSource& bytes, const std::vector<std::string>& lower);
  void record(const ImageSource& image, const std::vector<std::string>& names);
  [[nodiscard]] std::string layer_path(const LayerSource& layer) const;

  std::string store_;
  bool quiet_;
  base::UniqueFd lock_;  ///< shared: nothing is collected meanwhile
  std::string id_;
  std::string temporary_;
};

}  // namespace trine::images
