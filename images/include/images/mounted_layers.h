#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace trine::images {

/// A layer as a directory, for as long as this object lives. An overlay that was made of it meanwhile keeps
/// what it needs.
class MountedLayer {
 public:
  /// One that is a directory by itself.
  explicit MountedLayer(std::string directory) : directory_(std::move(directory)) {}
  /// `use`: a shared lock on the file that is mounted there.
  MountedLayer(std::string directory, base::UniqueFd use)
      : directory_(std::move(directory)), use_(std::move(use)) {}
  MountedLayer(MountedLayer&&) = default;
  MountedLayer& operator=(MountedLayer&& other) noexcept;
  ~MountedLayer() { release(); }

  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// The descriptor that keeps it mounted; -1 when nothing has to.
  [[nodiscard]] int use() const { return use_.get(); }

 private:
  void release() noexcept;
  std::string directory_;
  base::UniqueFd use_;
};

/// All layers of an image, topmost first.
using MountedLayers = std::vector<MountedLayer>;
std::vector<std::string> directories_of(const MountedLayers& layers);

}  // namespace trine::images
