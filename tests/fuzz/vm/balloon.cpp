#include "devices/balloon/balloon.h"

#include "acts.h"

/// A driver that does anything at all against the balloon, which gives away the memory that the driver's
/// rings are in. The machine's caller is part of the game.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trine;
  constexpr int kMostActs = 200;
  Words words(data, size);
  hvm::Balloon* balloon = nullptr;
  hvm::test::Driver driver([&](const hvm::GuestMemory& memory) {
    auto made = std::make_unique<hvm::Balloon>(memory);
    balloon = made.get();
    return made;
  });
  driver.start();
  for (int acts = 0; acts < kMostActs && !words.empty(); ++acts) {
    const unsigned kind = words.take<std::uint8_t>() % (kDriverActs + 1);
    if (kind < kDriverActs)
      act_as_driver(words, driver, kind);
    else
      (void)balloon->set_wanted(words.take<std::uint64_t>());
  }
  return 0;
}
