#include "choose.h"

namespace trine::images {

FetchedDocument choose_manifest(Endpoint& endpoint, const Reference& reference, const Platform& platform,
                                const std::function<bool(const std::string& digest)>& is_stored) {
  constexpr int kMaxNesting = 4;
  const std::string full = reference.full();
  FetchedDocument document = fetch_manifest(endpoint, reference.selector());
  for (int level = 0; is_index(parse_document(document.text, "the manifest of " + full)); ++level) {
    if (level == kMaxNesting)
      throw base::Error(full + " nests indexes too deep");
    const std::string name = "the index of " + full;
    const Descriptor chosen = select(parse_index(parse_document(document.text, name), name), platform, full);
    if (is_stored(chosen.digest))
      return {.text = {}, .digest = chosen.digest, .media_type = {}};
    document = fetch_manifest(endpoint, chosen.digest);
  }
  return document;
}

}  // namespace trine::images
