#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace trine::images {

struct LowerAttributes {
  std::uint32_t mode = 0;  ///< permissions
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;
};

/// A regular file of a layer that is in the store, whatever that is kept as.
class LowerFile : public LowerAttributes {
 public:
  virtual ~LowerFile() = default;
  /// The next bytes; 0 at the end.
  virtual std::size_t read(std::span<char> into) = 0;

  std::uint64_t size = 0;
};

/// Looks for `path` in layers, topmost first; symlinks on the way are resolved within a layer. Nothing when
/// none has a regular file there.
std::unique_ptr<LowerFile> find_lower_file(const std::vector<std::string>& layers, const std::string& path);

/// The same for a directory, without the overlay's marks. A layer that has something else there ends the
/// search.
std::optional<LowerAttributes> find_lower_directory(const std::vector<std::string>& layers,
                                                    const std::string& path);

}  // namespace trine::images
