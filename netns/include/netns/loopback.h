#pragma once

namespace trine::netns {

/// Brings up "lo" in the network namespace of the calling thread, over rtnetlink. Throws Error.
/// Source: rtnetlink(7).
void bring_up_loopback();

}  // namespace trine::netns
