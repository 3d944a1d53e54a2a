#include "oci-cli/vm_section.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "scratch.h"

using namespace trine;
using namespace trine::runtime;

namespace {

oci::Spec spec_of(const std::string& vm) {
  auto spec = oci::parse_spec(
      R"({"ociVersion": "1.3.0", "process": {"args": ["/bin/true"], "cwd": "/"}, "vm": )" + vm + "}");
  oci::validate(spec);
  return spec;
}

const oci_cli::VmConfig kConfig{.kernels = "/k",
                                .kernel = {},
                                .allow = {.kernels = {"/kernels/*"}, .parameters = {"quiet", "loglevel=*"}}};

/// The error's text and its hint, or nothing.
std::string error_of(const std::string& vm, const oci_cli::VmConfig& config = kConfig) {
  try {
    (void)oci_cli::choose(*spec_of(vm).vm, config, "/etc/vm.json");
  } catch (const base::Error& error) {
    return error.message() + " | " + error.hint();
  }
  return "";
}

std::string kernel(const std::string& rest) {
  return R"({"kernel": {"path": "/kernels/6.1)" + rest + "}}";
}

}  // namespace

TEST_CASE("a section vm is read, an empty one is none") {
  CHECK_FALSE(spec_of("{}").vm);
  const auto vm = spec_of(R"({"hypervisor": {"path": "/h", "parameters": ["a"]}, "hwConfig": {"vcpus": 2},
                              "kernel": {"path": "/k", "parameters": ["b", "c"], "initrd": "/i"}})")
                      .vm;
  REQUIRE(vm);
  CHECK(vm->hypervisor == "/h");
  CHECK(vm->hypervisor_parameters == std::vector<std::string>{"a"});
  CHECK(vm->kernel == "/k");
  CHECK(vm->kernel_parameters == std::vector<std::string>{"b", "c"});
  CHECK(vm->initrd == "/i");
  CHECK(vm->has_hardware);
  CHECK_FALSE(vm->has_image);
  CHECK_THROWS_WITH(spec_of(R"({"image": {"path": "/x"}})"),
                    Catch::Contains("config.json: vm has no 'kernel'"));
  CHECK_THROWS_WITH(spec_of(R"({"kernel": {"path": "x"}})"),
                    Catch::Contains("vm.kernel.path 'x' is not an absolute path"));
  CHECK_THROWS_WITH(spec_of(R"({"kernel": {"path": ""}})"), Catch::Contains("vm.kernel.path"));
  CHECK_THROWS_WITH(spec_of(R"({"kernel": {"path": "/x", "initrd": "y"}})"),
                    Catch::Contains("vm.kernel.initrd 'y'"));
}

TEST_CASE("what the administrator allows is taken") {
  const auto by_file =
      oci_cli::choose(*spec_of(kernel(R"(", "parameters": ["quiet", "loglevel=7"])")).vm, kConfig);
  CHECK(by_file.kernel_directory == "/kernels/6.1");
  CHECK(by_file.parameters == std::vector<std::string>{"quiet", "loglevel=7"});
  const oci_cli::VmConfig below{
      .kernels = {}, .kernel = {}, .allow = {.kernels = {"/kernels/*/vmlinux"}, .parameters = {}}};
  CHECK(oci_cli::choose(*spec_of(kernel("/vmlinux\"")).vm, below).kernel_directory == "/kernels/6.1");
}

TEST_CASE("a kernel is one that fits a pattern") {
  CHECK(error_of(kernel("\"")).empty());
  const auto refused = error_of(R"({"kernel": {"path": "/elsewhere/6.1"}})");
  CHECK(refused ==
        "config.json: vm.kernel.path '/elsewhere/6.1' is not allowed by /etc/vm.json | leave vm out, or have "
        R"(the administrator add "allow": {"kernels": ["/elsewhere/6.1"]} there)");
  CHECK_FALSE(error_of(kernel("\""), {.kernels = {}, .kernel = {}}).empty());
  CHECK_FALSE(error_of(kernel("/below\"")).empty());
  CHECK_FALSE(error_of(kernel("/../../tmp/x\"")).empty());
  CHECK_FALSE(error_of(R"({"kernel": {"path": "/kernels/.."}})").empty());
  CHECK_FALSE(error_of(R"({"kernel": {"path": "/kernels/.half-imported"}})").empty());
}

TEST_CASE("each parameter is a word that fits a pattern") {
  const auto with = [](const std::string& parameter) {
    return error_of(kernel(R"(", "parameters": [")" + parameter + "\"]"));
  };
  CHECK(with("quiet").empty());
  CHECK(with("loglevel=7").empty());
  CHECK(with("quieter").find("vm.kernel.parameters[0] 'quieter' is not allowed by /etc/vm.json") !=
        std::string::npos);
  // A pattern's "*" lets no second parameter in.
  for (const char* text : {"loglevel=7 init=/bin/sh", "loglevel=7\\tx", "loglevel=\\\"a b\\\"", "", "--"})
    CHECK(with(text).find("is not one parameter of a kernel") != std::string::npos);
  CHECK(with("loglevel=" + std::string(600, '7')).find("more than 512 bytes") != std::string::npos);
}

TEST_CASE("what is trine's own is not chosen by a bundle, whatever is allowed") {
  const oci_cli::VmConfig all{
      .kernels = {}, .kernel = {}, .allow = {.kernels = {"/*/*"}, .parameters = {"*"}}};
  CHECK(error_of(R"({"hypervisor": {"path": "/h"}, "kernel": {"path": "/k/k"}})", all)
            .find("vm.hypervisor is not followed") != std::string::npos);
  CHECK(error_of(R"({"kernel": {"path": "/k/k", "initrd": "/i"}})", all)
            .find("vm.kernel.initrd is not followed") != std::string::npos);
  CHECK(error_of(R"({"kernel": {"path": "/k/k"}, "image": {"path": "/i", "format": "raw"}})", all)
            .find("vm.image is not followed") != std::string::npos);
  CHECK(error_of(R"({"kernel": {"path": "/k/k"}, "hwConfig": {"memory": 1}})", all)
            .find("linux.resources.memory.limit") != std::string::npos);
}

TEST_CASE("the administrator's file says what is allowed") {
  const test::Scratch scratch;
  const std::string file = scratch.path("vm.json");
  const auto read = [&](const std::string& text) {
    ::unlink(file.c_str());
    scratch.make_file("vm.json", text);
    ::chmod(file.c_str(), 0644);
    return oci_cli::read_vm_config(file);
  };
  CHECK(read("{}").allow.kernels.empty());
  const auto config = read(R"({"allow": {"kernels": ["/k/*"], "parameters": ["quiet"]}})");
  CHECK(config.allow.kernels == std::vector<std::string>{"/k/*"});
  CHECK(config.allow.parameters == std::vector<std::string>{"quiet"});
  CHECK_THROWS_WITH(read(R"({"allow": {"kernel": ["/k"]}})"), Catch::Contains("no key 'allow.kernel'"));
  CHECK_THROWS_WITH(read(R"({"allow": {"kernels": ["k"]}})"), Catch::Contains("not an absolute path"));
  CHECK_THROWS_WITH(read(R"({"allow": {"kernels": "/k"}})"), Catch::Contains("no JSON object of the form"));
}
