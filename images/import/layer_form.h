#pragma once

#include <string>

namespace trine::images {

/// How new layers are kept.
enum class LayerForm { kErofs, kDirectory };

/// The form for this store and this kernel, found out once by mounting an image of nothing below an overlay,
/// and written to layer-form in the store. There an administrator may choose: the first line is "erofs" or
/// "directory", the second says why, the third is the kernel's release that it holds for, or "any".
LayerForm layer_form(const std::string& store);

}  // namespace trine::images
