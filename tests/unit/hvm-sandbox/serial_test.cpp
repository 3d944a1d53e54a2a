#include "devices/serial/serial.h"

#include <catch2/catch.hpp>

using namespace trine::hvm;

namespace {

struct Port {
  ConsoleLog log;
  unsigned interrupts = 0;
  Serial serial{log, [this] { ++interrupts; }};
};

}  // namespace

TEST_CASE("characters sent by the serial port are logged, and it is always ready for more") {
  Port port;
  for (const char character : std::string("ok\n"))
    port.serial.write(0, static_cast<std::uint8_t>(character));
  CHECK(port.log.tail(1) == "ok");
  CHECK((port.serial.read(5) & 0x60) == 0x60);
}

TEST_CASE("the divisor of the serial port is no output") {
  Port port;
  port.serial.write(3, 0x83);
  port.serial.write(0, 'x');
  port.serial.write(1, 0x12);
  CHECK(port.serial.read(0) == 'x');
  CHECK(port.serial.read(1) == 0x12);
  port.serial.write(3, 0x03);
  CHECK(port.log.tail(1).empty());
  CHECK(port.serial.read(1) == 0);
}

TEST_CASE("the serial port interrupts for a sent character only when asked to, and tells why once") {
  Port port;
  port.serial.write(0, 'x');
  CHECK(port.interrupts == 0);
  CHECK(port.serial.read(2) == 1);
  port.serial.write(1, 2);
  CHECK(port.interrupts == 1);
  CHECK(port.serial.read(2) == 2);
  CHECK(port.serial.read(2) == 1);
  port.serial.write(0, 'x');
  CHECK(port.interrupts == 2);
}

TEST_CASE("a driver finds the serial port by its loopback") {
  Port port;
  port.serial.write(4, 0x1a);
  CHECK((port.serial.read(6) & 0xf0) == 0x90);
  port.serial.write(7, 0x5a);
  CHECK(port.serial.read(7) == 0x5a);
}
