#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "erofs/writer.h"
#include "layer_sink.h"

namespace trine::images {

/// Writes one layer as an EROFS image. Paths are resolved in the layer's own tree in memory: nothing of the
/// host's file system can be named.
class ErofsLayer : public LayerSink {
 public:
  /// `fd`: an empty file. `lower`: the layers below, topmost first, where a hardlink may lead to.
  ErofsLayer(int fd, std::string name, std::vector<std::string> lower, std::span<const char> uuid = {});

  void write(const TarEntry& entry, TarReader& reader) override;
  void finish() override;
  [[nodiscard]] bool depends_on_lower() const override { return depends_on_lower_; }

 private:
  struct Place {
    erofs::Node parent;
    std::string name;
  };
  Place locate(const std::string& path);
  erofs::Node make_directories(const std::string& path);
  std::optional<erofs::Node> try_resolve(const std::string& path, bool make);
  erofs::Node make_implied(erofs::Node parent, const std::string& name, const std::string& path);
  void write_hardlink(const Place& place, const std::string& path, const TarEntry& entry);
  std::optional<erofs::Node> copy_up(const std::string& path);
  void write_directory(const Place& place, const TarEntry& entry);
  void apply_whiteout(const std::string& path);

  erofs::Writer writer_;
  std::vector<std::string> lower_;
  std::string parent_path_;  ///< what parent_ was resolved from
  std::optional<erofs::Node> parent_;
  std::set<std::string> whiteouts_;
  std::set<std::string> opaque_;
  bool depends_on_lower_ = false;
};

}  // namespace trine::images
