#include "runtime/engine/vm_check.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/process.h"
#include "base/text.h"
#include "hvm-sandbox/kernels.h"

namespace trine::runtime::engine {
namespace {

using State = Finding::State;

/// Nanoseconds for an instruction, above which a guest's kernel is not run by the processor itself.
constexpr double kSlowest = 50;

std::string read_or_empty(const std::string& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error&) {
    return {};
  }
}

/// The text on /proc/cpuinfo's line of flags has this word.
bool has_cpu_flag(const std::string& cpuinfo, const std::string& flag) {
  const std::size_t line = cpuinfo.find("flags");
  if (line == std::string::npos)
    return false;
  const std::string flags = cpuinfo.substr(line, cpuinfo.find('\n', line) - line) + " ";
  return flags.find(" " + flag + " ") != std::string::npos;
}

Finding check_processor() {
  const std::string cpuinfo = read_or_empty("/proc/cpuinfo");
  if (has_cpu_flag(cpuinfo, "vmx"))
    return {.name = "processor", .text = "VT-x"};
  if (has_cpu_flag(cpuinfo, "svm"))
    return {.name = "processor", .text = "SVM"};
  return {.name = "processor",
          .state = State::kSlow,
          .text = "shows neither VT-x nor SVM",
          .hint = "enable it in the firmware, or nested virtualization on the host above"};
}

Finding check_nested_paging() {
  for (const char* file : {"/sys/module/kvm_intel/parameters/ept", "/sys/module/kvm_amd/parameters/npt"}) {
    const std::string value(base::trim(read_or_empty(file)));
    if (value == "Y" || value == "1")
      return {.name = "nested paging", .text = "on"};
    if (!value.empty())
      return {
          .name = "nested paging", .state = State::kSlow, .text = "off", .hint = std::string("see ") + file};
  }
  return {.name = "nested paging", .state = State::kSlow, .text = "not known to this kernel's KVM"};
}

Finding check_guest_code() {
  Finding finding{.name = "guest code", .state = State::kMissing};
  try {
    const auto result = base::run_program(base::find_helper("trine-vmm"), {"--probe"});
    if (result.status.code != 0) {
      finding.text = result.output.substr(0, result.output.find('\n'));
      return finding;
    }
    const double time = std::strtod(result.output.c_str(), nullptr);
    finding.state = time > kSlowest ? State::kSlow : State::kGood;
    finding.text = std::string(base::trim(result.output)) + " ns an instruction";
    if (time > kSlowest) {
      finding.text +=
          ": this host imitates the processor for a guest's kernel, which may take minutes to boot";
      finding.hint = "use a host with VT-x or SVM of its own, or raise TRINE_VM_BOOT_SECONDS";
    }
  } catch (const base::Error& error) {
    finding.text = error.what();
    finding.hint = error.hint();
  }
  return finding;
}

Finding check_kernel(const Paths& paths) {
  try {
    return {.name = "guest kernel", .text = hvm::find_kernel(paths.lib + "/kernels").name};
  } catch (const base::Error& error) {
    return {.name = "guest kernel", .state = State::kMissing, .text = error.what(), .hint = error.hint()};
  }
}

Finding check_agent() {
  try {
    return {.name = "agent", .text = base::find_helper("trine-agent")};
  } catch (const base::Error& error) {
    return {.name = "agent", .state = State::kMissing, .text = error.what(), .hint = error.hint()};
  }
}

Finding check_disk_maker() {
  for (const std::string& directory : base::split("/usr/sbin:/usr/bin:/sbin:/bin", ':')) {
    if (::access((directory + "/mkfs.erofs").c_str(), X_OK) == 0)
      return {.name = "mkfs.erofs", .text = directory + "/mkfs.erofs"};
  }
  return {.name = "mkfs.erofs",
          .state = State::kSlow,
          .text = "not installed: only layers that are EROFS images can be disks",
          .hint = "apt-get install erofs-utils, when the store keeps layers as directories"};
}

Finding check_device(const char* name, const char* path, State otherwise, const char* hint) {
  if (::access(path, R_OK | W_OK) == 0)
    return {.name = name, .text = path};
  return {.name = name,
          .state = otherwise,
          .text = std::string(path) + ": " + base::errno_text(errno),
          .hint = hint};
}

}  // namespace

std::vector<Finding> check_vm(const Paths& paths) {
  return {check_device("KVM", "/dev/kvm", State::kMissing,
                       "load kvm_intel or kvm_amd; join the group kvm to be let in"),
          check_processor(),
          check_nested_paging(),
          check_guest_code(),
          check_kernel(paths),
          check_agent(),
          check_disk_maker(),
          check_device("tun", "/dev/net/tun", State::kSlow, "modprobe tun: networks of guests need it")};
}

}  // namespace trine::runtime::engine
