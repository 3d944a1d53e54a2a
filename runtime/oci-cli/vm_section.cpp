#include "vm_section.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/error.h"
#include "hvm-sandbox/kernels.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr std::size_t kMostParameters = 512;  ///< bytes: what the command line has room for beside ours

[[noreturn]] void refuse(const std::string& field, const std::string& what, const std::string& hint) {
  throw base::Error("config.json: vm." + field + " " + what, 0, hint);
}

bool fits_one(const std::vector<std::string>& patterns, const std::string& text, int flags) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), text.c_str(), flags) == 0;
  });
}

/// The directory of a path that names it, or the kernel in it.
std::string directory_of(const std::string& path) {
  const std::string suffix = std::string("/") + hvm::kKernelFile;
  return path.ends_with(suffix) ? path.substr(0, path.size() - suffix.size()) : path;
}

std::string allowed_kernel(const oci::Vm& vm, const VmConfig& config, const std::string& file) {
  // By "..", a path could fit a pattern and be elsewhere.
  const bool leads_up = (vm.kernel + "/").find("/../") != std::string::npos;
  if (leads_up || !fits_one(config.allow.kernels, vm.kernel, FNM_PATHNAME | FNM_PERIOD)) {
    refuse(
        "kernel.path", "'" + vm.kernel + "' is not allowed by " + file,
        R"(leave vm out, or have the administrator add "allow": {"kernels": [")" + vm.kernel + "\"]} there");
  }
  return directory_of(vm.kernel);
}

void check_parameter(const std::string& parameter, const std::string& field, const VmConfig& config,
                     const std::string& file) {
  const bool is_one = !parameter.empty() && parameter != "--" &&
                      std::ranges::all_of(parameter, [](char c) { return c > ' ' && c < 127 && c != '"'; });
  if (!is_one)
    refuse(field, "is not one parameter of a kernel", "a word each, without quotes, as in \"loglevel=7\"");
  if (!fits_one(config.allow.parameters, parameter, 0)) {
    refuse(field, "'" + parameter + "' is not allowed by " + file,
           R"(leave it out, or have the administrator add "allow": {"parameters": [")" + parameter +
               "\"]} there");
  }
}

void check_parameters(const oci::Vm& vm, const VmConfig& config, const std::string& file) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < vm.kernel_parameters.size(); ++i) {
    check_parameter(vm.kernel_parameters[i], "kernel.parameters[" + std::to_string(i) + "]", config, file);
    bytes += vm.kernel_parameters[i].size() + 1;
  }
  if (bytes > kMostParameters)
    refuse("kernel.parameters", "has more than " + std::to_string(kMostParameters) + " bytes", "");
}

void refuse_others(const oci::Vm& vm) {
  if (!vm.hypervisor.empty() || !vm.hypervisor_parameters.empty())
    refuse("hypervisor", "is not followed", "the monitor is trine's own, trine-vmm: leave it out");
  if (!vm.initrd.empty())
    refuse("kernel.initrd", "is not followed", "it is trine's own, with the guest's agent: leave it out");
  if (vm.has_image)
    refuse("image", "is not followed", "the guest's root is the bundle's: leave it out");
  if (vm.has_hardware)
    refuse("hwConfig", "is not followed",
           "the machine's size is linux.resources.memory.limit, and cpu.quota by cpu.period");
}

}  // namespace

VmChoice choose(const oci::Vm& vm, const VmConfig& config, const std::string& file) {
  refuse_others(vm);
  check_parameters(vm, config, file);
  return {.kernel_directory = allowed_kernel(vm, config, file), .parameters = vm.kernel_parameters};
}

}  // namespace trine::runtime::oci_cli
