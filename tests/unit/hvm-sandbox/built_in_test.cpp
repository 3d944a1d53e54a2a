#include "kernel/built_in.h"

#include <catch2/catch.hpp>

#include "gzip.h"

using namespace trine::hvm;
using namespace std::string_literals;

namespace {

auto config_of(const std::string& kernel) {
  return embedded_config(std::as_bytes(std::span(kernel)));
}

auto release_of(const std::string& kernel) {
  return kernel_release(std::as_bytes(std::span(kernel)));
}

}  // namespace

TEST_CASE("a kernel's release is that of its banner, not of a text that looks like it") {
  CHECK(release_of("Linux version %s\0 Linux version 6.1.192-trine (me@here)"s).value() == "6.1.192-trine");
  CHECK(!release_of("Linux version 6.1.192-trine"));
  CHECK(!release_of("Linux version 6/../../etc (me@here)"));
  CHECK(!release_of("Linux version ../etc (me@here)"));
  CHECK(!release_of("Linux version " + std::string(65, '6') + " (me@here)"));
  CHECK(release_of("Linux version " + std::string(64, '6') + " (me@here)"));
  CHECK_THAT(release_of("").error(), Catch::Contains("version"));
}

TEST_CASE("a kernel's configuration is read out of it") {
  const std::string config = "CONFIG_SMP=y\nCONFIG_NET=y\n";
  CHECK(config_of("code IKCFG_ST"s + gzip(config) + "IKCFG_ED more").value() == config);
}

TEST_CASE("a configuration that is absent, cut short, damaged or huge is an error") {
  const std::string packed = gzip("CONFIG_SMP=y\n");
  CHECK_THAT(config_of("code").error(), Catch::Contains("CONFIG_IKCONFIG=y"));
  CHECK_THAT(config_of("IKCFG_ST" + packed).error(), Catch::Contains("cut short"));
  CHECK_THAT(config_of("IKCFG_STIKCFG_ED").error(), Catch::Contains("cut short"));
  CHECK_THAT(config_of("IKCFG_ST" + packed.substr(2) + "IKCFG_ED").error(), Catch::Contains("damaged"));
  CHECK_THAT(config_of("IKCFG_ST" + packed.substr(0, packed.size() - 4) + "\xff\xff\xff\xffIKCFG_ED").error(),
             Catch::Contains("MiB"));
}

TEST_CASE("what is a module, another option's beginning, or left out is not built in") {
  constexpr std::array<std::string_view, 4> kWanted{"VIRTIO", "EROFS_FS", "OVERLAY_FS", "PVH"};
  CHECK(not_built_in("CONFIG_VIRTIO_BLK=y\nCONFIG_EROFS_FS=m\n# CONFIG_OVERLAY_FS is not set\nCONFIG_PVH=y",
                     kWanted) == std::vector<std::string>{"VIRTIO", "EROFS_FS", "OVERLAY_FS"});
}
