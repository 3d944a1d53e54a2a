#include "parse.h"

namespace trine::runtime::oci {
namespace {

bool says_something(const Reader& reader, const char* name) {
  const auto found = reader.field(name);
  return found && !found->is_empty();
}

}  // namespace

Vm read_vm(const Reader& reader) {
  Vm vm{.has_image = says_something(reader, "image"), .has_hardware = says_something(reader, "hwConfig")};
  if (const auto hypervisor = reader.field("hypervisor"); hypervisor && !hypervisor->is_empty()) {
    vm.hypervisor = hypervisor->required<std::string>("path");
    hypervisor->read("parameters", vm.hypervisor_parameters);
  }
  const auto kernel = reader.field("kernel");
  if (!kernel)
    reader.fail("has no 'kernel'", "leave vm out: the kernel is then the administrator's");
  vm.kernel = kernel->required<std::string>("path");
  kernel->read("parameters", vm.kernel_parameters);
  kernel->read("initrd", vm.initrd);
  return vm;
}

}  // namespace trine::runtime::oci
