#pragma once

#include <string>

namespace trine::base {

/// rm -rf of `directory`/`name` by descriptors: no symlink is followed and no mount is crossed, so that a
/// tree which a container wrote, or still writes, removes nothing but itself. A missing tree is no error.
/// Throws Error naming the first entry that cannot be removed.
void remove_tree(int directory, const std::string& name);

}  // namespace trine::base
