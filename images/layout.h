#pragma once

#include <string>
#include <string_view>

/// Where things are in a store:
///   images/<hex>.json     all that a run needs to know of an image, by its manifest's digest; never changed
///   names/<name>          a symlink to <hex>, '/' in the name written as '%'
///   manifests/, configs/  as they were shipped
///   layers/<hex>/         the root of a layer, by its uncompressed digest, in overlayfs' form
///   tmp/<id>/             an import that is not done; what is there without its lock held is dead
///   partial/<hex>         a blob that is being fetched, and <hex>.map, how far it has come; kept when the
///   fetch fails locks/                one file a blob or layer that a process is at work on gc.lock held
///   shared by imports and exclusively by who removes what no image needs
namespace trine::images {

/// "sha256:<hex>" -> "<hex>", checked: what comes back can stand in a path. Throws Error.
std::string digest_hex(std::string_view digest);

/// The file name in names/ for a normalized name.
std::string name_file(std::string_view name);
std::string name_of_file(std::string_view file);

}  // namespace trine::images
