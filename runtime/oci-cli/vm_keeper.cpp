#include "vm_keeper.h"

#include <linux/mount.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/helper.h"
#include "isolation/capabilities.h"
#include "isolation/start.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/vm.h"
#include "runtime/backend/vm_exec.h"
#include "runtime/backend/vm_network.h"
#include "runtime/backend/vm_report.h"
#include "store.h"
#include "vm_guest.h"

namespace trine::runtime::oci_cli {
namespace {

/// What trine-oci, trine-vmm and their buffers need beside the guest's memory.
constexpr std::int64_t kKeeperMemory = 64 << 20;

struct Node {
  const char* path;
  std::uint32_t major;
  std::uint32_t minor;
};
/// Source: Linux Documentation/admin-guide/devices.txt.
constexpr std::array kNodes{Node{"/dev/null", 1, 3},   Node{"/dev/zero", 1, 5},      Node{"/dev/full", 1, 7},
                            Node{"/dev/random", 1, 8}, Node{"/dev/urandom", 1, 9},   Node{"/dev/tty", 5, 0},
                            Node{"/dev/kvm", 10, 232}, Node{"/dev/net/tun", 10, 200}};

std::vector<std::string> own_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry)
    entries.emplace_back(*entry);
  return entries;
}

/// The host's group has to hold the machine whole.
cgroups::Limits limits_outside(cgroups::Limits limits) {
  for (auto* bytes : {&limits.memory_bytes, &limits.memory_swap_bytes}) {
    if (*bytes && **bytes > 0)
      **bytes += kKeeperMemory;
  }
  // Inside it is the program's processes that are counted, outside the monitor's threads.
  limits.pids_max.reset();
  // The guest has devices of its own, and the keeper needs the host's.
  limits.devices.clear();
  return limits;
}

/// The keeper's own, by a name that other commands can find while it lives: the engine's where there is one.
std::string network_path(const Container& container) {
  for (const oci::Namespace& entry : container.load_spec().linux_part.namespaces) {
    if (entry.type == "network" && !entry.path.empty())
      return entry.path;
  }
  return "/proc/" + std::to_string(::getpid()) + "/ns/net";
}

}  // namespace

std::string control_socket(const Globals& globals, const std::string& id) {
  return globals.root + "/" + id + "/" + backend::kControlSocket;
}

isolation::Plan make_host_plan(std::vector<std::string> words, const isolation::Process& process) {
  isolation::Plan plan;
  plan.namespaces = {{.type = CLONE_NEWNS, .path = {}}};
  plan.root.source = isolation::HostRoot{};
  // A /dev of its own: the terminal is one of it, and nothing that the image could name is in reach.
  plan.mounts = {{.destination = "/dev", .type = "tmpfs", .source = "tmpfs", .data = "mode=755"},
                 {.destination = "/dev/pts",
                  .type = "devpts",
                  .source = "devpts",
                  .data = "newinstance,ptmxmode=0666,mode=0620"}};
  for (const Node& node : kNodes)
    plan.devices.push_back({.path = node.path, .major = node.major, .minor = node.minor});
  isolation::Process& own = plan.process;
  own.args = std::move(words);
  own.env = own_environment();
  own.user = {.uid = ::geteuid(), .gid = ::getegid(), .keep_groups = true};
  const std::uint64_t all = isolation::available_capabilities();
  own.capabilities = {.bounding = all, .effective = all, .permitted = all};
  own.keep_keyring = true;
  own.oom_score_adj = process.oom_score_adj;
  own.terminal = process.terminal;
  own.window_size = process.window_size;
  own.plain_lines = process.plain_lines;
  return plan;
}

backend::ContainerPlan make_keeper_plan(const Globals& globals, const backend::ContainerPlan& guest,
                                        const std::string& id) {
  backend::ContainerPlan keeper{.limits = limits_outside(guest.limits),
                                .net_devices = guest.net_devices,
                                .cgroup_name = guest.cgroup_name};
  keeper.isolation = make_host_plan({base::find_helper("trine-oci"), "--root", globals.root, "__keep", id},
                                    guest.isolation.process);
  for (const isolation::Namespace& entry : guest.isolation.namespaces) {
    if (entry.type == CLONE_NEWNET)
      keeper.isolation.namespaces.push_back(entry);
  }
  // What looks at the keeper's /proc for the container's processes, as `podman top` does, is not to find the
  // host's there. It also takes all that the keeper has started along with it when it is killed.
  keeper.isolation.namespaces.push_back({.type = CLONE_NEWPID, .path = {}});
  keeper.isolation.mounts.push_back(
      {.destination = "/proc",
       .type = "proc",
       .source = "proc",
       .set_attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC});
  keeper.isolation.resctrl = guest.isolation.resctrl;
  return keeper;
}

int run_keep(const Globals& globals, Arguments arguments) {
  if (arguments.size() != 1)
    throw base::Error("__keep is trine-oci's own command");
  const std::string& id = arguments.front();
  backend::Reporter reporter(globals.root + "/" + id + "/" + kReportSocket);
  try {
    const attach::SignalBlock signals;
    const Container container = Container::open(globals.root, id, Container::Access::kRead);
    backend::VmOptions vm = make_guest(globals, container);
    backend::VmNetwork network(network_path(container), globals.root + "/" + id);
    vm.nics = network.take_nics();
    vm.control = backend::make_control_socket(globals.root + "/" + id);
    vm.on_started = [&] { reporter.started(); };
    return backend::run_vm(std::move(vm), signals).code;
  } catch (const base::Error& error) {
    reporter.failed(error);
    throw;
  }
}

}  // namespace trine::runtime::oci_cli
