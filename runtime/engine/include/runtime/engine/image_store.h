#pragma once

#include <string>
#include <vector>

#include "images/store.h"
#include "runtime/engine/paths.h"

/// Work on the store of images as a whole.
namespace trine::runtime::engine {

/// Has trine-images check the store, and with `repair` take away what is damaged; its report goes to standard
/// output. 0: the store is sound now; 1: there is damage. Throws Error when it cannot be run.
int check_store(const Paths& paths, bool repair);

/// Removes images without a name, or with `all` every image, that no instance was made from; and what no
/// image needs. Returns a line for each thing done.
std::vector<std::string> prune_images(const Paths& paths, bool all);

enum class SaveFormat {
  kArchive,  ///< one file for `trine load`, `docker load` and `podman load`
  kOci,      ///< an OCI layout, a directory
  kDir,      ///< a directory as skopeo's dir: has it, of one image
};

/// Has trine-images write the images to `output`, which appears whole or not at all; an archive goes to the
/// standard output when it is empty. Returns the exit code: when it is not 0, the program has said why.
/// Throws Error when it cannot be run.
int save_images(const Paths& paths, const std::vector<std::string>& references, SaveFormat format,
                const std::string& output);

/// Mounts an image read-only on `directory`, or on one of trine's own when it is empty, and returns that.
/// Throws Error.
std::string mount_image(const Paths& paths, const std::string& reference, const std::string& directory);

/// Undoes that; `what` is the image or the directory. Throws Error when it is not mounted.
void unmount_image(const Paths& paths, const std::string& what);

}  // namespace trine::runtime::engine
