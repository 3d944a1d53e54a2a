#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "export/archive.h"
#include "export/commands.h"
#include "importer.h"

namespace trine::images {

int save(const Command& command) {
  const Store store(command.store, command.mounts);
  std::vector<Image> found;
  for (const auto& reference : command.words) {
    auto image = store.find(reference);
    if (!image)
      throw base::Error("there is no image " + reference + " in the store", 0, "trine images lists them");
    found.push_back(std::move(*image));
  }
  const Importer temporary(command.store, true);  // a directory of our own, which goes with us
  if (!command.output.empty()) {
    OutputDirectory output(command.output);
    if (command.format == "dir")
      write_dir(store, found.front(), temporary.temporary(), output);
    else
      write_layout(store, found, temporary.temporary(), output);
    output.keep();
    return 0;
  }
  TarFiles output([](std::span<const char> bytes) {
    base::write_all(STDOUT_FILENO, {bytes.data(), bytes.size()}, "the archive");
  });
  write_layout(store, found, temporary.temporary(), output);
  output.finish();
  return 0;
}

}  // namespace trine::images
