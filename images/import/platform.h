#pragma once

#include <string>
#include <vector>

#include "document.h"
#include "images/platform.h"

namespace trine::images {

/// Of an index, the entry that fits best. Throws Error listing those there are.
Descriptor select(const std::vector<Descriptor>& manifests, const Platform& platform,
                  const std::string& name);

/// Throws Error when a configuration says that the image called `name` is for another platform than was asked
/// for. One that does not say what it is for is taken.
void check_platform(const ImageConfig& config, const Platform& wanted, const std::string& name);

}  // namespace trine::images
