#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "erofs/reader.h"
#include "images/store.h"
#include "layout.h"

namespace trine::images {

LayerRoot layer_root(const std::string& layer) {
  if (layer.ends_with(kErofsSuffix)) {
    const base::UniqueFd file = base::open_file(layer, O_RDONLY);
    const erofs::Reader reader(file.get(), layer);
    const auto root = reader.inode(reader.root());
    return {.mode = root.mode & 07777U, .uid = root.uid, .gid = root.gid};
  }
  struct stat status{};
  if (::stat(layer.c_str(), &status) != 0)
    base::throw_errno("cannot look at the layer " + layer);
  return {.mode = status.st_mode & 07777U, .uid = status.st_uid, .gid = status.st_gid};
}

}  // namespace trine::images
