#pragma once

#include <string>

#include "base/unique_fd.h"

namespace trine::images {

/// Held by whoever unpacks a layer: others that bring the same one wait, and then find it done. The file goes
/// with the lock; what a killed import leaves is removed with all that no image needs.
class LayerLock {
 public:
  /// Waits. `hex` is the layer's name. Throws Error.
  LayerLock(const std::string& store, const std::string& hex);
  ~LayerLock();
  LayerLock(const LayerLock&) = delete;
  LayerLock& operator=(const LayerLock&) = delete;

 private:
  std::string path_;
  base::UniqueFd fd_;
};

}  // namespace trine::images
