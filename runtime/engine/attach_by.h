#pragma once

#include <optional>

#include "base/unique_fd.h"
#include "runtime/engine/attach_instance.h"
#include "runtime/engine/instance.h"

namespace trine::runtime::engine {

/// attach_to_instance() through a socket that its supervisor has the other end of. Nothing when the
/// supervisor was killed.
std::optional<int> attach_by(base::UniqueFd socket, const Paths& paths, const Record& record,
                             const AttachRequest& request);

}  // namespace trine::runtime::engine
