#pragma once

#include <string>

namespace trine::isolation {

/// Copies what is in the directory `from` into the empty directory `to`: files, directories and symlinks with
/// their owners and modes. Devices, fifos and sockets are passed over, as are other mounts; no symlink is
/// followed. Used to fill a tmpfs from the image ("tmpcopyup"). Throws Error naming `where`.
void copy_tree(int from, int to, const std::string& where);

}  // namespace trine::isolation
