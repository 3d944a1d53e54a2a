#include "runtime/engine/run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "background.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "cidfile.h"
#include "foreign.h"
#include "image_root.h"
#include "isolation/rootless.h"
#include "isolation/start.h"
#include "layout.h"
#include "own_streams.h"
#include "record.h"
#include "run_vm.h"
#include "runtime/attach/attach.h"
#include "runtime/backend/container.h"
#include "runtime/backend/network_namespace.h"
#include "runtime/engine/class_choice.h"
#include "runtime/engine/image_source.h"
#include "runtime/engine/image_spec.h"
#include "runtime/engine/instance.h"
#include "runtime/engine/update.h"

namespace trine::runtime::engine {
namespace {

constexpr std::string_view kBundle = "bundle:";

/// An instance about to start: its plan, and what must live as long as it does.
struct Prepared {
  backend::ContainerPlan plan;
  base::UniqueFd lease;  ///< on the image
  images::MountedLayers layers;
};

isolation::Mount bind_file(const std::string& source, const std::string& destination) {
  return {.destination = destination, .type = "bind", .source = source, .bind = true};
}

bool has_mount(const isolation::Plan& plan, const std::string& destination) {
  return std::ranges::any_of(plan.mounts,
                             [&](const auto& mount) { return mount.destination == destination; });
}

/// Files about the instance's name and network, which are not the image's to have.
void add_network_files(const Instance& instance, const RunOptions& options, isolation::Plan& plan) {
  const base::UniqueFd directory = base::open_file(instance.run_directory(), O_RDONLY | O_DIRECTORY);
  const auto add = [&](const std::string& name, const std::string& content) {
    if (has_mount(plan, "/etc/" + name))
      return;
    const base::UniqueFd file = base::open_file_at(directory.get(), name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    base::write_all(file.get(), content, instance.run_directory() + "/" + name);
    plan.mounts.push_back(bind_file(instance.run_directory() + "/" + name, "/etc/" + name));
  };
  if (options.network == NetworkMode::kHost) {
    for (const char* name : {"hosts", "resolv.conf"}) {
      const std::string path = std::string("/etc/") + name;
      if (::access(path.c_str(), R_OK) == 0)
        add(name, base::read_file(path));
    }
  } else {
    add("hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t" +
                     plan.hostname + "\n");
  }
  if (options.network == NetworkMode::kNamespace) {
    if (const std::string text = backend::resolver_configuration(options.network_namespace); !text.empty())
      add("resolv.conf", text);
  }
  add("hostname", plan.hostname + "\n");
}

std::string namespace_of(const Paths& paths, const std::string& reference) {
  const RunningInstance instance = find_running(paths, reference, "join the network of");
  return "/proc/" + std::to_string(instance.record.pid) + "/ns/net";
}

/// Ids that a user namespace does not map cannot be named in a sysctl of it.
void fit_to_user_namespace(oci::Spec& spec) {
  spec.linux_part.sysctl.erase("net.ipv4.ping_group_range");
}

Prepared prepare_image(const RunOptions& options, const Paths& paths, const ClassChoice& choice,
                       bool rootless, Instance& instance) {
  const images::Store store = open_store(paths);
  const images::Image image = choice.image ? *choice.image : resolve_image(paths, store, options);
  check_runs_here(image.config, options.image);
  Prepared prepared{.lease = store.lease(image)};
  Record& record = instance.record();
  record.image_digest = image.digest;
  ImageSpec made = make_image_spec(image.config, options, record.id.substr(0, 12));
  if (options.network == NetworkMode::kContainer) {
    for (auto& entry : made.spec.linux_part.namespaces) {
      if (entry.type == "network")
        entry.path = namespace_of(paths, options.network_container);
    }
  }
  if (options.network == NetworkMode::kNamespace) {
    (void)backend::open_network_namespace(options.network_namespace);  // or an error that says what is wrong
    for (auto& entry : made.spec.linux_part.namespaces) {
      if (entry.type == "network")
        entry.path = options.network_namespace;
    }
  }
  if (rootless)
    fit_to_user_namespace(made.spec);
  oci::validate(made.spec);
  prepared.plan = backend::make_plan(made.spec, "/");
  prepared.plan.limits.memory_swap_is_default = made.swap_is_default;
  isolation::Plan& plan = prepared.plan.isolation;
  prepared.layers = store.mount_layers(image);
  plan.root = make_root(paths, instance, prepared.layers, options.read_only);
  plan.process.user.name = made.user;
  plan.process.resolve_user = true;
  plan.process.create_cwd = true;
  plan.process.init = options.init;
  for (auto& mount : plan.mounts) {
    mount.create_source = std::ranges::any_of(options.mounts, [&](const VolumeMount& volume) {
      return volume.create_source && volume.target == mount.destination;
    });
  }
  add_network_files(instance, options, plan);
  if (made.default_seccomp) {
    prepared.plan.seccomp = isolation::default_seccomp_profile(plan.process.capabilities.bounding);
  }
  record.command = made.spec.process.args;
  record.stop_signal = made.stop_signal;
  return prepared;
}

Prepared prepare_bundle(const RunOptions& options, const std::string& bundle, Instance& instance) {
  const oci::Spec spec = oci::parse_spec(base::read_file(bundle + "/config.json", 16 << 20));
  oci::validate(spec);
  if (!oci::has_namespace(spec, "mount")) {
    throw base::Error(bundle + "/config.json: linux.namespaces has no mount namespace", 0,
                      "a container's mounts must not be the host's: add one");
  }
  if (spec.vm)
    throw base::Error(bundle + "/config.json: vm is not followed by trine run", 0,
                      "leave it out, and give --isolation vm; or: trine-oci run -b " + bundle + " NAME");
  for (const auto& stage : oci::kHookStages) {
    if (!(spec.hooks.*stage.hooks).empty()) {
      throw base::Error(bundle + "/config.json: hooks." + stage.name + " cannot be run by trine run", 0,
                        "trine-oci run -b " + bundle + " NAME runs hooks");
    }
  }
  Prepared prepared{.plan = backend::make_plan(spec, bundle)};
  prepared.plan.isolation.process.terminal = spec.process.terminal || options.terminal;
  instance.record().bundle = bundle;
  instance.record().command = spec.process.args;
  return prepared;
}

Prepared prepare(const RunOptions& options, const Paths& paths, const ClassChoice& choice, bool rootless,
                 Instance& instance) {
  Record& record = instance.record();
  record.image = options.image;
  record.labels = options.labels;
  record.annotations = options.annotations;
  if (!options.image.starts_with(kBundle))
    return prepare_image(options, paths, choice, rootless, instance);
  return prepare_bundle(options, options.image.substr(kBundle.size()), instance);
}

void write_record(Instance& instance, pid_t pid, const cgroups::Group& group) {
  Record& record = instance.record();
  record.pid = pid;
  record.start_time = base::process_info(pid).start_time;
  record.cgroups = group.directories();
  record.status = "running";
  instance.save();
}

void report_oom(const Record& record, std::optional<std::uint64_t> limit) {
  std::string message = "the kernel killed a process of " + record.name + ": out of memory";
  if (limit)
    message += " (its limit is " + std::to_string(*limit >> 20U) + " MiB)";
  base::print_error(base::Error(message, 0, "give it more with --memory"));
}

/// A pause may have given the container a directory where the host's freezer is.
void end_added_groups(const Instance& instance) {
  const auto record = read_record(instance.run_directory());
  if (record && record->cgroups != instance.record().cgroups)
    cgroups::end_group(record->cgroups);
}

/// What has to be open as long as the instance runs, its lock first.
std::vector<int> held_descriptors(const Instance& instance, const Prepared& prepared) {
  std::vector<int> held{instance.lock()};
  if (prepared.lease)
    held.push_back(prepared.lease.get());
  for (const auto& layer : prepared.layers) {
    if (layer.use() >= 0)
      held.push_back(layer.use());
  }
  return held;
}

/// Flags that say how a machine is made.
void refuse_vm_flags(const RunOptions& options) {
  const std::array flags{std::pair("--vm-pages", options.vm_pages.is_given()),
                         std::pair("--vm-net-rate", options.vm_net_rate.is_given()),
                         std::pair("--vm-net-queues", options.vm_net_queues.has_value()),
                         std::pair("--vm-disk-rate", options.vm_disk_rate.is_given())};
  for (const auto& [flag, is_given] : flags) {
    if (is_given)
      throw base::Error(std::string(flag) + " cannot be given for a container", 0,
                        "it is for --isolation vm");
  }
}

/// `background`: nothing in the foreground.
int start(const RunOptions& options, const Paths& paths, Background* background) {
  const bool rootless = isolation::is_rootless();
  const PolicyContext context = load_policy_context();  // before root's files are nobody's
  if (rootless)
    isolation::enter_user_namespace();
  repair(paths);
  const ClassChoice choice = choose_class(options, paths, context);
  if (choice.isolation == policy::Class::kVm)
    return run_in_vm(options, paths, choice, background);
  refuse_vm_flags(options);
  Instance instance = Instance::create(paths, options.name, options.remove);
  Prepared prepared = prepare(options, paths, choice, rootless, instance);
  const cgroups::Limits limits = prepared.plan.limits;
  const std::string seccomp_cache = paths.run + "/seccomp";
  if (prepared.plan.seccomp)
    prepared.plan.isolation.seccomp = isolation::cached_seccomp(*prepared.plan.seccomp, seccomp_cache);
  const backend::JoinedProcess first{.process = prepared.plan.isolation.process,
                                     .seccomp = prepared.plan.isolation.seccomp};
  // Set before the program runs, which may ask for it first of all.
  if (prepared.plan.isolation.process.terminal)
    prepared.plan.isolation.process.window_size = attach::own_window_size();
  CidFile cidfile(options.cidfile, instance.record().id);
  std::optional<InnerStreams> streams;
  if (background != nullptr) {
    (void)instance.make_layer_directory();  // the log's: a bundle has none of its own
    streams.emplace(false, options.interactive);
  } else if (!options.interactive && !options.terminal) {
    empty_standard_input();
  }

  const attach::SignalBlock signals;
  backend::Container container = backend::start_container(
      std::move(prepared.plan), {.cgroup_name = cgroup_name(instance.record().id),
                                 .seccomp_cache = seccomp_cache,
                                 .on_created =
                                     [&](pid_t pid, const cgroups::Group& group) {
                                       instance.keep_process(backend::encode_process(first));
                                       write_record(instance, pid, group);
                                       read_ahead(prepared.layers, first.process);
                                     },
                                 .in_child = [&] { instance.forget(); }});
  cidfile.keep();
  if (!prepared.layers.empty())
    drop_crash_mark(instance);
  if (background != nullptr) {
    OuterStreams outer = streams->take_outer();
    outer.terminal = container.take_terminal();
    streams.reset();
    background->become_supervisor(paths, instance.record(), options.log,
                                  {.process = &container.process(),
                                   .streams = std::move(outer),
                                   .held = held_descriptors(instance, prepared)});
  }
  const base::ExitStatus status =
      attach::attach(container.process(), signals,
                     {.terminal = container.take_terminal(), .interactive = options.interactive});
  // An update may have changed it since the start.
  const auto limit = limits.memory_bytes ? memory_limit(container.cgroups()) : std::nullopt;
  const auto end = container.finish();
  end_added_groups(instance);
  if (end.oom_killed)
    report_oom(instance.record(), limit);
  instance.finish(status.code, end.oom_killed);
  return status.code;
}

}  // namespace

int run(const RunOptions& options, const Paths& paths) {
  if (!options.detach)
    return start(options, paths, nullptr);
  return start_in_background([&](Background& background) { return start(options, paths, &background); });
}

void end_in_background(const Paths& paths, const std::string& id, const std::string& held, int code) {
  std::vector<base::UniqueFd> descriptors;
  for (const auto& text : base::split(held, ',', base::SplitEmpty::kSkip))
    descriptors.emplace_back(static_cast<int>(base::parse_unsigned(text).value_or(INT_MAX)));
  if (descriptors.empty())
    return repair(paths);  // its own trine has done it all, or was killed
  Instance instance = Instance::take_over(paths, id, std::move(descriptors.front()));
  descriptors.clear();
  cgroups::Group group = cgroups::open_group(instance.record().cgroups);
  const bool oom_killed = group.stats().oom_kills.value_or(0) > 0;
  cgroups::end_group(instance.record().cgroups);
  instance.finish(code, oom_killed);
  open_store(paths).unmount_unused();
}

}  // namespace trine::runtime::engine
