#pragma once

#include <string>
#include <string_view>

/// Where things are in a store:
///   images/<hex>.json     all that a run needs to know of an image, by its manifest's digest; never changed
///   names/<name>          a symlink to <hex>, '/' in the name written as '%'
///   manifests/, configs/  as they were shipped
///   layers/<hex>.erofs    a layer as an EROFS image, in overlayfs' form, by its uncompressed digest; by its
///   chain
///                         id when it depends on the layers below
///   layers/<hex>/         the same as a directory, where the kernel cannot mount an image from a file
///   sums/<hex>.erofs      the sum of that image's bytes, to tell damage on the disk
///   locks/<hex>           held by whoever unpacks that layer
///   layer-form            how new layers are kept, and why
///   tmp/<id>/             an import that is not done; what is there without its lock held is dead
///   signers/<hex>         fingerprints of the keys whose signatures on that manifest a pull has verified
///   partial/<hex>         a blob that is being fetched, kept when that fails
///   partial/<hex>.map     how far it has come
///   gc.lock               held shared by imports, and exclusively by who removes what no image needs
namespace trine::images {

/// "sha256:<hex>" -> "<hex>", checked: what comes back can stand in a path. Throws Error.
std::string digest_hex(std::string_view digest);

/// What the file name of a layer that is an EROFS image ends with.
constexpr std::string_view kErofsSuffix = ".erofs";

/// The file name in names/ for a normalized name.
std::string name_file(std::string_view name);
std::string name_of_file(std::string_view file);

}  // namespace trine::images
