#pragma once

#include <string>
#include <vector>

#include "images/reference.h"
#include "images/store.h"

namespace trine::images {

/// What a stored image that a user called `asked` is called in full. What a short name stood for when it was
/// pulled comes before Docker's rule: a pull gives the image that name too. An image that was asked for by
/// its id has all its names, or none.
std::vector<Reference> stored_names(const Store& store, const Image& image, const std::string& asked);

}  // namespace trine::images
