#include "stored_names.h"

#include <algorithm>

#include "layout.h"
#include "reference/registries.h"
#include "store_files.h"

namespace trine::images {

std::vector<Reference> stored_names(const Store& store, const Image& image, const std::string& asked) {
  const auto names = names_of(store.root(), digest_hex(image.digest));
  std::vector<Reference> result;
  // find() says by which name it found the image, if it was by a name.
  if (image.names.empty()) {
    for (const auto& name : names)
      result.push_back(parse_reference(name));
    return result;
  }
  const std::string& name = image.names.front();
  const Reference whole = parse_reference(name);
  const Reference typed = parse_reference(asked);
  if (whole.short_name && typed.short_name) {
    for (const auto& candidate : Registries::load().candidates(typed)) {
      const std::string familiar = candidate.familiar();
      if (familiar != name && std::ranges::find(names, familiar) != names.end())
        result.push_back(candidate);
    }
  }
  if (result.empty())
    result.push_back(whole);
  return result;
}

}  // namespace trine::images
