#pragma once

#include <optional>
#include <string>
#include <vector>

#include "layer_form.h"
#include "layer_sink.h"
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

  /// Whether the store has the layer already. Its chain id is set.
  [[nodiscard]] bool has(const LayerSource& layer) const { return find_layer(layer).has_value(); }

  /// Unpacks the layers that are not there yet, verifies all, and records the image under `names`.
  void add(ImageSource image, const std::vector<std::string>& names);

 private:
  /// A layer in the store: the name of its file or directory there.
  [[nodiscard]] std::optional<std::string> find_layer(const LayerSource& layer) const;
  std::string unpack(const LayerSource& layer, const std::vector<std::string>& lower);
  /// Returns the name that the layer is to have.
  std::string fill(const LayerSource& layer, LayerSink& sink) const;
  std::string unpack_image(const LayerSource& layer, const std::vector<std::string>& lower);
  std::string unpack_directory(const LayerSource& layer, const std::vector<std::string>& lower);
  void record(const ImageSource& image, const std::vector<std::string>& layers,
              const std::vector<std::string>& names);

  std::string store_;
  bool quiet_;
  base::UniqueFd lock_;  ///< shared: nothing is collected meanwhile
  std::string id_;
  std::string temporary_;
  std::optional<LayerForm> form_;  ///< of new layers, once there is one
};

}  // namespace trine::images
