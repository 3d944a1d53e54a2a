#pragma once

#include <functional>
#include <string>

#include "images/reference.h"
#include "manifest.h"
#include "platform.h"

namespace trine::images {

/// The manifest that the reference names for the platform, through indexes. Of one for which `is_stored` says
/// so only the digest is given. Throws NotThere; Error when there is none for the platform.
FetchedDocument choose_manifest(Endpoint& endpoint, const Reference& reference, const Platform& platform,
                                const std::function<bool(const std::string& digest)>& is_stored);

}  // namespace trine::images
