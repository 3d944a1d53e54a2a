#include "seccomp_listener.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>

#include "base/error.h"
#include "steps.h"

namespace trine::isolation {
namespace {

/// What the program's thread and the courier's share. One a process: the child that becomes the program.
struct Desk {
  const Channel* channel = nullptr;
  std::atomic<int> listener{-1};
  std::atomic<bool> served{false};
};
Desk desk;

/// A thread of its own, which has no filter. It neither allocates nor frees: hooks are cloned beside it.
void* carry(void* /*unused*/) {
  // A futex would take a system call of the other thread to wake this one; what is waited for is near.
  int listener = -1;
  while ((listener = desk.listener.load(std::memory_order_acquire)) < 0)
    ::sched_yield();
  try {
    desk.channel->send(MessageKind::kListener, listener);
    const auto message = desk.channel->receive();
    if (!message || message->kind != MessageKind::kServed)
      ::_exit(1);
  } catch (const base::Error&) {
    // The caller is gone: nobody waits for this container any more.
    ::_exit(1);
  }
  desk.served.store(true, std::memory_order_release);
  return nullptr;
}

}  // namespace

void call_listener_courier(Context& context) {
  if (!context.plan.seccomp || !context.plan.seccomp->notifies)
    return;
  desk.channel = &context.channel;
  pthread_t thread{};
  const int error = ::pthread_create(&thread, nullptr, carry, nullptr);
  if (error != 0)
    throw base::Error("cannot make a thread for the seccomp listener", error,
                      "it counts as one more process (linux.resources.pids) while the container starts");
  // To join it would be a system call. It ends by itself, or with the exec.
  ::pthread_detach(thread);
}

void deliver_listener(int listener) {
  desk.listener.store(listener, std::memory_order_release);
  while (!desk.served.load(std::memory_order_acquire)) {
  }
}

}  // namespace trine::isolation
