#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "images/store.h"

namespace trine::images {

/// What is wrong with a store, in sentences, and what was done about it.
struct CheckReport {
  std::vector<std::string> found;
  std::vector<std::string> done;
  std::vector<std::string> left;  ///< damage that could not be repaired, and why
};

/// Reads a whole store: records, names, documents against their digests, images of layers against their sums
/// and as file systems. With `repair` it takes away what is damaged, and the images that cannot be whole
/// without it, so that loading them again brings them back; an image that an instance runs from is left.
///
/// `mounts`: where layers are mounted.
class Checker {
 public:
  explicit Checker(std::string store) : store_(std::move(store)) {}
  CheckReport run(bool repair);

 private:
  void check_records();
  void check_document(const std::string& kind, const std::string& digest, const std::string& image);
  void check_layer(const std::string& name, const std::string& image);
  void check_names();
  void check_rest();
  void repair();
  bool remove_image(const std::string& hex);

  std::string store_;
  CheckReport report_;
  std::set<std::string> broken_images_;   ///< names of records
  std::set<std::string> broken_layers_;   ///< names in layers/
  std::set<std::string> dangling_names_;  ///< files in names/
  std::map<std::string, bool> layers_;    ///< checked already: whether they are sound
  bool garbage_ = false;
};

}  // namespace trine::images
