#include "enter.h"

#include <sched.h>

#include <exception>
#include <thread>

#include "base/error.h"

namespace trine::netns {

void in_namespace(int target, const std::function<void()>& work) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      if (::setns(target, CLONE_NEWNET) != 0)
        base::throw_errno("cannot enter the network namespace");
      work();
    } catch (...) {  // it is the caller's, whatever it is
      failure = std::current_exception();
    }
  }).join();
  if (failure)
    std::rethrow_exception(failure);
}

}  // namespace trine::netns
