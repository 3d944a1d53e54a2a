#pragma once

namespace trine::isolation {

/// Hands a filter's notify descriptor to the courier that call_listener_courier() has made (steps.h), and
/// returns when it is on its way to the caller. Makes no system call: once the filter is loaded, any one
/// might wait for the listener, whom nobody serves yet.
void deliver_listener(int listener);

}  // namespace trine::isolation
