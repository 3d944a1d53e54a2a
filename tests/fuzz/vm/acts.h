#pragma once

#include "driver.h"
#include "words.h"

/// What a guest's driver that does anything at all can do to a device: registers, ring memory, descriptors
/// and notifications, in any order.
constexpr unsigned kDriverActs = 8;

inline void act_as_driver(Words& words, trine::hvm::test::Driver& driver, unsigned kind) {
  switch (kind) {
    case 0:
      driver.write(words.take<std::uint16_t>(), words.take<std::uint32_t>());
      break;
    case 1:
      (void)driver.read(words.take<std::uint16_t>());
      break;
    case 2: {
      const std::uint32_t address = words.take<std::uint32_t>() % (trine::hvm::test::kGuestBytes - 256);
      driver.store(address, words.text(words.take<std::uint8_t>()));
      break;
    }
    case 3:
      driver.start();
      break;
    case 4: {
      const unsigned queue = words.take<std::uint8_t>() % 3;
      const std::uint16_t index = words.take<std::uint8_t>() % 16;
      driver.put_descriptor(queue, index,
                            {.address = words.take<std::uint32_t>(),
                             .length = words.take<std::uint32_t>(),
                             .flags = words.take<std::uint16_t>(),
                             .next = static_cast<std::uint16_t>(words.take<std::uint8_t>() % 18)});
      break;
    }
    case 5:
      driver.offer(words.take<std::uint8_t>() % 3, words.take<std::uint8_t>() % 17);
      break;
    case 6: {
      const std::uint8_t word = words.take<std::uint8_t>();
      const unsigned queue = word % 4;
      if (word >= 0x80 && driver.transport().device().serves_at_once(queue))
        driver.notify_at_once(queue);
      else
        driver.notify(queue);
      break;
    }
    case 7: {
      // A request that is well-formed as far as the queue goes.
      const unsigned queue = words.take<std::uint8_t>() % 3;
      const std::uint8_t out = words.take<std::uint8_t>();
      driver.request(queue, words.text(out), words.take<std::uint16_t>());
      break;
    }
    default:
      break;
  }
}
