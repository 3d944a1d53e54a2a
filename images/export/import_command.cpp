#include "export/archive_input.h"
#include "export/commands.h"
#include "export/new_image.h"
#include "importer.h"

namespace trine::images {

int import(const Command& command) {
  Importer importer(command.store, true);
  const std::string& source = command.words.front();
  const PackedLayer layer = read_archive(source, importer.temporary());
  Description description = command.description;
  if (description.message.empty())
    description.message = "imported from " + (source == "-" ? "the standard input" : source);
  const Store store(command.store, command.mounts);
  return store_image(importer, add_layer(store, std::nullopt, command.platform, layer, description),
                     command.names);
}

}  // namespace trine::images
