#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "devices/balloon/balloon.h"
#include "monitor/machine.h"

/// What the machine's caller may ask of it while it runs. All of it happens on the devices' thread, under
/// their lock.
namespace trine::hvm {

void Machine::listen_to_caller() {
  control_.emplace(plan_.connections.get(), loop_, static_cast<Controlled&>(*this)).start();
  if (!loop_.watch_always(gate_.all_waiting(), EPOLLIN,
                          [this](std::uint32_t /*events*/) { on_all_waiting(); }))
    base::throw_errno("cannot wait for the machine's processors");
}

void Machine::pause(std::function<void()> done) {
  paused_ = std::move(done);
  // A vCPU may be waiting for the devices' lock, which we hold: its arrival is an event.
  gate_.close();
  interrupt_vcpus();
}

void Machine::on_all_waiting() noexcept {
  std::uint64_t count = 0;
  (void)!::read(gate_.all_waiting(), &count, sizeof count);
  if (!gate_.is_closed())
    return;
  loop_.hold();
  if (const auto done = std::exchange(paused_, nullptr))
    done();
}

void Machine::resume() {
  paused_ = nullptr;
  loop_.release();
  gate_.open();
}

bool Machine::set_balloon(std::uint64_t bytes) {
  return balloon_->set_wanted(bytes);
}

std::string Machine::stats() const {
  return std::string("paused ") + (loop_.is_held() ? "1" : "0") + " balloon " +
         std::to_string(balloon_->given()) + " wanted " + std::to_string(balloon_->wanted()) + " reported " +
         std::to_string(balloon_->reported());
}

}  // namespace trine::hvm
