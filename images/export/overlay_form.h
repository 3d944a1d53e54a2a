#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

/// Directories as overlayfs writes them. Source: Linux Documentation/filesystems/overlayfs.rst.
namespace trine::images {

/// A character device 0:0 hides what layers below have under its name.
bool is_whiteout(const struct stat& status);

/// "trusted.overlay.opaque" -> "opaque"; empty when the attribute is not the overlay's. In a user namespace
/// they begin with "user.".
std::string_view overlay_attribute(std::string_view name);

/// Whether nothing of the layers below is seen in a directory.
bool is_opaque(int directory);

/// Whether this errno says of a file that was there that it is no more: an overlay whose layers are written
/// to from elsewhere may say so with ESTALE.
bool is_gone(int error);

/// Names in a directory, sorted; of one that was removed, none. `path` is for messages. Throws Error.
std::vector<std::string> names_in(int directory, const std::string& path);

/// Directories one over the other, the topmost first, read-only, as a directory that has no place in the file
/// system: it goes with the descriptor. `place`: a directory, made when it is missing, which is mounted on
/// for a moment. In a user namespace the process is in a mount namespace of its own afterwards. Throws Error.
base::UniqueFd open_union(const std::vector<std::string>& directories, const std::string& place);

}  // namespace trine::images
