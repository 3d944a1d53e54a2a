#include "bundle.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/time.h"
#include "isolation_class.h"
#include "vm_guest.h"
#include "vm_keeper.h"
#include "vm_rates.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr std::size_t kMaxSpec = 16 << 20;

std::string absolute(const std::string& path) {
  char resolved[PATH_MAX];
  const std::string wanted = path.empty() ? "." : path;
  if (::realpath(wanted.c_str(), resolved) == nullptr)
    base::throw_errno("cannot find the bundle " + wanted);
  return resolved;
}

}  // namespace

Bundle load_bundle(const std::string& path, const std::string& config) {
  Bundle bundle{.path = absolute(path), .text = {}, .spec = {}, .vm = false};
  const bool elsewhere = config.starts_with('/');
  bundle.text = base::read_file(
      elsewhere ? config : bundle.path + "/" + (config.empty() ? "config.json" : config), kMaxSpec);
  bundle.spec = oci::parse_spec(bundle.text);
  oci::validate(bundle.spec);
  bundle.vm = choose_class(bundle.spec, bundle.path, load_policies()) == policy::Class::kVm;
  if (bundle.vm)
    check_for_vm(bundle.spec);
  else
    refuse_vm_rates(bundle.spec);
  return bundle;
}

void describe(const Bundle& bundle, State& state) {
  const std::string& root = bundle.spec.root.path;
  state.bundle = bundle.path;
  state.rootfs = root.starts_with('/') ? root : bundle.path + "/" + root;
  state.created = base::now_utc();
  state.owner = ::geteuid() == 0 ? "root" : std::to_string(::geteuid());
  state.annotations = bundle.spec.annotations;
  state.creating = true;
  state.vm = bundle.vm;
  if (bundle.vm)
    state.vm_memory = guest_memory(bundle.spec);
}

std::string cgroup_name(const backend::ContainerPlan& plan, const std::string& id) {
  return plan.cgroup_name.empty() ? id : plan.cgroup_name;
}

}  // namespace trine::runtime::oci_cli
