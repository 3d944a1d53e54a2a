#pragma once

#include <string>

#include "base/unique_fd.h"
#include "export/packed_layer.h"
#include "export/tar_writer.h"

namespace trine::images {

/// Takes files one after the other, by relative paths that are ours. Throws Error when it cannot.
class FileOutput {
 public:
  virtual ~FileOutput() = default;
  virtual void add_directory(const std::string& path) = 0;
  virtual void add_text(const std::string& path, const std::string& text) = 0;
  virtual void add_layer(const std::string& path, const PackedLayer& layer) = 0;
};

/// Makes them members of a tar archive, root's and of 1970: the same files give the same archive.
class TarFiles : public FileOutput {
 public:
  explicit TarFiles(const ByteSink& sink) : tar_(sink) {}
  void add_directory(const std::string& path) override;
  void add_text(const std::string& path, const std::string& text) override;
  void add_layer(const std::string& path, const PackedLayer& layer) override;
  void finish() { tar_.finish(); }

 private:
  TarWriter tar_;
};

/// Makes them in a new directory, which has its name from keep() on: before, it is a hidden one beside that,
/// which goes with this object.
class OutputDirectory : public FileOutput {
 public:
  /// Throws Error when there is something at `path` already, other than an empty directory.
  explicit OutputDirectory(const std::string& path);
  ~OutputDirectory() override;
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;

  void add_directory(const std::string& path) override;
  void add_text(const std::string& path, const std::string& text) override;
  void add_layer(const std::string& path, const PackedLayer& layer) override;
  void keep();

 private:
  [[nodiscard]] base::UniqueFd make_file(const std::string& path) const;

  std::string path_;
  std::string name_;       ///< the path's last part
  std::string temporary_;  ///< the name it has meanwhile; empty: none
  base::UniqueFd parent_;
  base::UniqueFd directory_;
};

}  // namespace trine::images
