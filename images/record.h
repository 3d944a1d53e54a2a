#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/store.h"

namespace trine::images {

/// An image's record: `layers` are the names of its layers in layers/, topmost first. `image.names` and
/// `image.layers` are not part of it.
struct Record {
  Image image;
  std::vector<std::string> layers;
};

std::string to_json(const Record& record);
/// Throws Error naming `file` when it is damaged.
Record parse_record(std::string_view json, const std::string& file);

}  // namespace trine::images
