#pragma once

#include <string>
#include <vector>

/// By whom a stored image is signed, as far as pulls have verified it.
namespace trine::images {

/// Notes in the store at `root` that signatures on the manifest `digest` by the keys with these fingerprints
/// ("SHA256:<hex>") were verified. What is noted already stays: a signature that was good is a fact about the
/// digest. Throws Error.
void note_signers(const std::string& root, const std::string& digest,
                  const std::vector<std::string>& fingerprints);

/// The fingerprints; none when no pull has verified a signature. Throws Error.
std::vector<std::string> signers_of(const std::string& root, const std::string& digest);

}  // namespace trine::images
