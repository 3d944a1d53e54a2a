#include "oci-cli/vm_rates.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "base/error.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime;

namespace {

/// With one annotation, or none.
oci::Spec spec_of(const std::string& name = {}, const std::string& value = {}) {
  oci::Spec spec;
  if (!name.empty())
    spec.annotations[name] = value;
  return spec;
}

backend::Rate chosen(const std::string& asked, const backend::Rate& given = {}) {
  return oci_cli::choose_net_rate(spec_of("dev.trine.vm-net-rate", asked),
                                  {.kernels = {}, .kernel = {}, .net_rate = given, .allow = {}},
                                  "/etc/vm.json");
}

}  // namespace

TEST_CASE("a bundle's VM has the administrator's rate where it asks for none") {
  CHECK_FALSE(oci_cli::choose_net_rate(spec_of(), {}).is_given());
  const backend::Rate rate =
      oci_cli::choose_net_rate(spec_of(), {.kernels = {}, .kernel = {}, .net_rate = {5, 6}, .allow = {}});
  CHECK(rate.bytes == 5);
  CHECK(rate.count == 6);
}

TEST_CASE("a bundle may ask for less than the administrator gives, of bytes, packets or both") {
  CHECK(chosen("bytes=1m").bytes == 1 << 20);
  CHECK(chosen("bytes=1m").count == 0);
  CHECK(chosen("bytes=1m", {1 << 20, 70}).bytes == 1 << 20);
  CHECK(chosen("bytes=1k", {1 << 20, 70}).count == 70);
  CHECK(chosen("packets=7", {1 << 20, 70}).bytes == 1 << 20);
  CHECK(chosen("packets=7,bytes=600", {1 << 20, 70}).count == 7);
}

TEST_CASE("a bundle that asks for more than the administrator gives is refused") {
  CHECK_THROWS_WITH(chosen("bytes=1m", {(1 << 20) - 1, 0}),
                    Catch::Contains("asks for bytes=1048576, and /etc/vm.json gives bytes=1048575"));
  CHECK_THROWS_WITH(chosen("packets=71", {0, 70}), Catch::Contains("/etc/vm.json gives packets=70"));
}

TEST_CASE("what is no rate is refused, and so are rates of what there is not") {
  for (const char* text : {"", "1m", "bytes=511", "packets=0", "requests=9", "bytes=1m,"})
    CHECK_THROWS_WITH(chosen(text), Catch::Contains("dev.trine.vm-net-rate '" + std::string(text) + "'"));
  const oci::Spec disk = spec_of("dev.trine.vm-disk-rate", "bytes=1m");
  CHECK_THROWS_WITH(oci_cli::choose_net_rate(disk, {}), Catch::Contains("directories, not disks"));
  CHECK_THROWS_WITH(oci_cli::refuse_vm_rates(disk), Catch::Contains("is for the isolation class vm"));
  CHECK_THROWS_AS(oci_cli::refuse_vm_rates(spec_of("dev.trine.vm-net-rate", "bytes=1m")), base::Error);
  CHECK_NOTHROW(oci_cli::refuse_vm_rates(spec_of("dev.trine.isolation", "container")));
}

TEST_CASE("the administrator's file gives a rate in the form of the flag") {
  const test::Scratch scratch;
  const std::string file = scratch.path("vm.json");
  const auto read = [&](const std::string& value) {
    scratch.make_file("vm.json", R"({"net_rate": ")" + value + "\"}");
    ::chmod(file.c_str(), 0644);
    return oci_cli::read_vm_config(file).net_rate;
  };
  CHECK(read("bytes=1.5k,packets=9").bytes == 1536);
  CHECK_THROWS_WITH(read("10m"), Catch::Contains("net_rate '10m'"));
}
