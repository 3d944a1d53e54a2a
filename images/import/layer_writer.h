#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "layer_sink.h"
#include "tar.h"

namespace trine::images {

/// Unpacks one layer into a directory.
///
/// Confined: a parent is resolved inside the layer's root by the kernel (RESOLVE_IN_ROOT, no magic links),
/// once; the last component is worked on from the parent's descriptor and never followed.
class LayerWriter : public LayerSink {
 public:
  /// `lower`: the roots of the layers below, topmost first, where a hardlink may lead to.
  LayerWriter(const std::string& directory, std::vector<std::string> lower);

  void write(const TarEntry& entry, TarReader& reader) override;
  /// Whiteouts, and the times of directories, which what was written into them has changed.
  void finish() override;

  [[nodiscard]] bool depends_on_lower() const override { return depends_on_lower_; }
  [[nodiscard]] std::size_t skipped_devices() const override { return skipped_devices_; }

 private:
  struct Place {
    int parent;  ///< valid until the next call of locate()
    std::string name;
  };
  Place locate(const std::string& path);
  base::UniqueFd make_parents(const std::string& directory);
  void imply(const std::string& path);
  void clear_place(const Place& place, TarType type);
  void write_file(const Place& place, const TarEntry& entry, TarReader& reader);
  void write_data(int file, const TarEntry& entry, TarReader& reader);
  void write_hardlink(const Place& place, const TarEntry& entry);
  bool copy_up(const std::string& path);
  void write_node(const Place& place, const TarEntry& entry);
  void set_attributes(const Place& place, const TarEntry& entry);
  void set_xattrs(const Place& place, const TarEntry& entry);
  void set_opaque(const std::string& path);
  bool take_whiteout(const TarEntry& entry);
  void apply_whiteout(const std::string& path);

  base::UniqueFd root_;
  std::vector<std::string> lower_;
  bool in_user_namespace_;
  std::string parent_path_;  ///< what parent_ was resolved from
  base::UniqueFd parent_;
  std::vector<std::pair<std::string, timespec>> directory_times_;
  std::set<std::string> whiteouts_;
  std::vector<char> buffer_;
  std::size_t skipped_devices_ = 0;
  bool depends_on_lower_ = false;
};

}  // namespace trine::images
