#pragma once

#include <functional>

namespace trine::netns {

/// Runs `work` on a thread of its own that is in the network namespace of the descriptor `target`, and waits
/// for it. Throws what `work` throws, and Error when the namespace cannot be entered.
void in_namespace(int target, const std::function<void()>& work);

}  // namespace trine::netns
