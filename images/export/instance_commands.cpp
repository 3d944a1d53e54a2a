#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "export/commands.h"
#include "export/layer_diff.h"
#include "export/new_image.h"
#include "export/overlay_form.h"
#include "importer.h"

// What an instance has written, which lies in the upper directory of its overlay, and the image below it.

namespace trine::images {
namespace {

Image find_image(const Store& store, const std::string& digest) {
  auto image = store.find(digest);
  if (!image) {
    throw base::Error("the image " + digest + ", which the instance was made from, is no more in the store",
                      0, "load or pull it again");
  }
  return std::move(*image);
}

/// An instance that was removed meanwhile leaves an empty directory without a name.
void check_still_there(int upper) {
  struct stat status{};
  if (::fstat(upper, &status) != 0 || status.st_nlink == 0)
    throw base::Error("the instance was removed while its files were read");
}

}  // namespace

int export_tree(const Command& command) {
  const Store store(command.store, command.mounts);
  const Image image = find_image(store, command.words.front());
  const base::UniqueFd lease = store.lease(image);
  const Importer temporary(command.store, true);  // a directory of our own, which goes with us
  const base::UniqueFd upper = base::open_file(command.upper, O_RDONLY | O_DIRECTORY);
  const MountedLayers mounted = store.mount_layers(image);
  std::vector<std::string> layers = directories_of(mounted);
  layers.insert(layers.begin(), command.upper);
  const base::UniqueFd root = open_union(layers, temporary.temporary() + "/view");
  pack_tree(root.get(), {.tree = Tree::kRoot, .changing = command.changing}, [](std::span<const char> bytes) {
    base::write_all(STDOUT_FILENO, {bytes.data(), bytes.size()}, "the archive");
  });
  check_still_there(upper.get());
  return 0;
}

int diff(const Command& command) {
  const Store store(command.store, command.mounts);
  const Image image = find_image(store, command.words.front());
  const base::UniqueFd lease = store.lease(image);
  const Importer temporary(command.store, true);
  const base::UniqueFd upper = base::open_file(command.upper, O_RDONLY | O_DIRECTORY);
  const MountedLayers mounted = store.mount_layers(image);
  const base::UniqueFd below = open_union(directories_of(mounted), temporary.temporary() + "/view");
  const bool escape = ::isatty(STDOUT_FILENO) == 1;
  std::string output;
  for (const auto& change : diff_layer(upper.get(), below.get()))
    output += to_line(change, escape);
  base::write_all(STDOUT_FILENO, output, "the standard output");
  return 0;
}

int commit(const Command& command) {
  const Store store(command.store, command.mounts);
  const Image image = find_image(store, command.words.front());
  const base::UniqueFd lease = store.lease(image);
  Importer importer(command.store, true);
  const base::UniqueFd upper = base::open_file(command.upper, O_RDONLY | O_DIRECTORY);
  const PackedLayer layer = pack_to_file(upper.get(), {.tree = Tree::kLayer, .changing = command.changing},
                                         importer.temporary(), Packing::kPlain);
  check_still_there(upper.get());
  return store_image(importer, add_layer(store, image, command.platform, layer, command.description),
                     command.names);
}

}  // namespace trine::images
