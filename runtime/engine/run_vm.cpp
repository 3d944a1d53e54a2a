#include "run_vm.h"

#include <sched.h>

#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "cidfile.h"
#include "foreign.h"
#include "hvm-sandbox/kernels.h"
#include "isolation/seccomp.h"
#include "layer_disks.h"
#include "layout.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/network_namespace.h"
#include "runtime/backend/plan.h"
#include "runtime/backend/vm.h"
#include "runtime/backend/vm_network.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/image_spec.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/run.h"
#include "start.h"
#include "vm_shares.h"

namespace trine::runtime::engine {
namespace {

std::uint64_t memory_of(const RunOptions& options) {
  if (!options.limits.memory_bytes || *options.limits.memory_bytes <= 0)
    return backend::kVmMemory;
  const auto bytes = static_cast<std::uint64_t>(*options.limits.memory_bytes);
  if (bytes < backend::kLeastVmMemory) {
    throw base::Error("--memory " + std::to_string(bytes >> 20U) + "m is too little for a VM, kernel and all",
                      0, "give it " + std::to_string(backend::kLeastVmMemory >> 20U) + "m or more");
  }
  return bytes;
}

/// --cpus is a number of whole processors here: a part of one counts as one.
unsigned cpus_of(const RunOptions& options) {
  if (!options.limits.cpu || !options.limits.cpu->quota_us || *options.limits.cpu->quota_us <= 0)
    return backend::kVmCpus;
  const auto quota = static_cast<std::uint64_t>(*options.limits.cpu->quota_us);
  const std::uint64_t period = options.limits.cpu->period_us.value_or(100'000);
  constexpr std::uint64_t kMost = 64;
  const std::uint64_t cpus = (quota + period - 1) / period;
  if (cpus > kMost)
    throw base::Error("a VM has at most " + std::to_string(kMost) + " processors", 0,
                      "give it fewer: --cpus");
  return static_cast<unsigned>(cpus);
}

/// A guest uses one for each of its processors: more would be made, and left aside without a word.
unsigned net_queues_of(const RunOptions& options) {
  const unsigned queues = options.vm_net_queues.value_or(1);
  const unsigned cpus = cpus_of(options);
  if (queues > cpus) {
    throw base::Error("--vm-net-queues " + std::to_string(queues) + " is more than the VM has processors (" +
                          std::to_string(cpus) + ")",
                      0, "--cpus " + std::to_string(queues) + " gives it as many");
  }
  return queues;
}

void add_files(const RunOptions& options, backend::VmOptions& vm) {
  const std::string hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t" +
                            vm.plan.hostname + "\n";
  std::vector<std::pair<std::string, std::string>> files{{"hosts", hosts},
                                                         {"hostname", vm.plan.hostname + "\n"}};
  if (options.network == NetworkMode::kNamespace) {
    if (std::string text = backend::resolver_configuration(options.network_namespace); !text.empty())
      files.emplace_back("resolv.conf", std::move(text));
  }
  for (auto& [name, content] : files) {
    vm.plan.mounts.push_back(
        {.destination = "/etc/" + name, .type = "bind", .source = backend::guest_file(name), .bind = true});
    vm.files.emplace_back(name, content);
  }
}

/// What the guest's memory and processors are already is no limit inside of it.
cgroups::Limits limits_inside(cgroups::Limits limits) {
  limits.memory_bytes.reset();
  limits.memory_reservation_bytes.reset();
  limits.cpu.reset();
  return limits;
}

std::chrono::seconds boot_limit(std::chrono::seconds otherwise) {
  const char* text = std::getenv("TRINE_VM_BOOT_SECONDS");
  if (text == nullptr)
    return otherwise;
  const std::uint64_t seconds = base::parse_unsigned(text).value_or(0);
  constexpr std::uint64_t kMost = 3600;
  return seconds > 0 && seconds <= kMost ? std::chrono::seconds(seconds) : otherwise;
}

struct Prepared {
  backend::VmOptions vm;
  base::UniqueFd lease;  ///< on the image
};

Prepared prepare(const RunOptions& options, const Paths& paths, const ClassChoice& choice,
                 Instance& instance) {
  const images::Store store = open_store(paths);
  const images::Image image = choice.image ? *choice.image : resolve_image(paths, store, options);
  check_runs_in_vm(image.config, options.image);
  Prepared prepared{.lease = store.lease(image)};
  backend::VmOptions& vm = prepared.vm;
  Record& record = instance.record();
  record.image = options.image;
  record.labels = options.labels;
  record.annotations = options.annotations;
  record.terminal = options.terminal;
  record.image_digest = image.digest;
  record.isolation = kVmClass;

  RunOptions inside = options;
  inside.network = NetworkMode::kPrivate;  // whatever its guest is connected to
  ImageSpec made = make_image_spec(image.config, inside, record.id.substr(0, 12));
  oci::validate(made.spec);
  backend::ContainerPlan plan = backend::make_plan(made.spec, "/");
  vm.plan = std::move(plan.isolation);
  vm.limits = limits_inside(std::move(plan.limits));
  vm.limits.memory_swap_bytes.reset();
  vm.plan.root = {.read_only = options.read_only};
  vm.plan.process.user.name = made.user;
  vm.plan.process.resolve_user = true;
  vm.plan.process.create_cwd = true;
  vm.plan.process.init = options.init;
  if (made.default_seccomp)
    plan.seccomp = isolation::default_seccomp_profile(vm.plan.process.capabilities.bounding);
  if (plan.seccomp)
    vm.plan.seccomp = isolation::cached_seccomp(*plan.seccomp, paths.run + "/seccomp");
  share_volumes(options.mounts, vm);
  if (options.network == NetworkMode::kNamespace) {
    // The guest has one network, its own: the process is in it as the agent is.
    std::erase_if(vm.plan.namespaces,
                  [](const isolation::Namespace& entry) { return entry.type == CLONE_NEWNET; });
  }
  add_files(options, vm);
  record.command = made.spec.process.args;
  record.stop_signal = made.stop_signal;

  vm.kernel_directory = hvm::find_kernel(paths.lib + "/kernels").directory;
  vm.layer_disks = make_layer_disks(paths, image);
  vm.memory_bytes = memory_of(options);
  record.vm_memory_bytes = vm.memory_bytes;
  vm.cpus = cpus_of(options);
  vm.pages = options.vm_pages;
  vm.net_rate = options.vm_net_rate;
  vm.disk_rate = options.vm_disk_rate;
  vm.interactive = options.interactive;
  vm.boot_limit = boot_limit(vm.boot_limit);
  if (vm.plan.process.terminal)
    vm.plan.process.window_size = attach::own_window_size();
  return prepared;
}

/// Its machine has ended under the program: that is how it ended, and is kept as any other end is.
void keep_broken(Instance& instance, const base::Error& error) {
  instance.record().error = error.message();
  try {
    instance.finish(kExitFailure, false);
  } catch (const base::Error& failure) {
    base::print_warning(failure.what());  // what broke the machine is the error to tell
  }
}

/// To the program's end. Throws Error when there is none.
backend::VmEnd run_to_end(backend::VmOptions vm, const attach::SignalBlock& signals, Instance& instance,
                          CidFile& cidfile) {
  bool started = false;
  vm.on_started = [&started, tell = std::move(vm.on_started)] {
    started = true;
    if (tell)
      tell();
  };
  try {
    return backend::run_vm(std::move(vm), signals);
  } catch (const base::Error& error) {
    if (started) {
      cidfile.keep();
      keep_broken(instance, error);
    }
    throw;
  }
}

}  // namespace

int run_in_vm(const RunOptions& options, const Paths& paths, const ClassChoice& choice,
              Background* background, const Record* again) {
  (void)memory_of(options);
  const unsigned net_queues = net_queues_of(options);
  Instance instance = open_for_start(options, paths, again);
  Prepared prepared = prepare(options, paths, choice, instance);
  CidFile cidfile(options.cidfile, instance.record().id);
  std::optional<Keeper> keeper;
  if (background != nullptr) {
    (void)instance.make_layer_directory();  // the log's
    keeper.emplace(*background, options.terminal, options.interactive);
    if (!keeper->is_child()) {
      instance.forget();
      cidfile.keep();
      return keeper->supervise(*background, paths, instance.record(), options.log);
    }
    prepared.vm.on_started = [&] { keeper->started(); };
  }
  std::optional<backend::VmNetwork> network;
  if (options.network == NetworkMode::kNamespace) {
    network.emplace(options.network_namespace, instance.run_directory(), net_queues);
    prepared.vm.nics = network->take_nics();
  }
  const attach::SignalBlock signals;
  const backend::JoinedProcess first{.process = prepared.vm.plan.process,
                                     .seccomp = prepared.vm.plan.seccomp};
  prepared.vm.control = backend::make_control_socket(instance.run_directory());
  prepared.vm.cgroup_name = cgroup_name(instance.record().id);
  prepared.vm.cpu = options.limits.cpu;
  prepared.vm.on_created = [&](pid_t pid, const cgroups::Group& group) {
    instance.keep_process(backend::encode_process(first));
    Record& record = instance.record();
    record.pid = pid;
    record.start_time = base::process_info(pid).start_time;
    record.cgroups = group.directories();
    record.status = "running";
    instance.save();
  };
  prepared.vm.on_paused = [&](bool is_paused) {
    instance.record().status = is_paused ? "paused" : "running";
    try {
      instance.save();
    } catch (const base::Error& error) {
      base::print_warning(error.what());  // the instance is worth more than what ps says of it
    }
  };
  const backend::VmEnd end = run_to_end(std::move(prepared.vm), signals, instance, cidfile);
  cidfile.keep();
  if (end.oom_killed) {
    base::print_error(
        base::Error("the guest's kernel killed a process of " + instance.record().name + ": out of memory", 0,
                    "give it more with --memory"));
  }
  instance.finish(end.code, end.oom_killed);
  return end.code;
}

}  // namespace trine::runtime::engine
