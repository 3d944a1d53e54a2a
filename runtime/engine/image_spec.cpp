#include "runtime/engine/image_spec.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "environment.h"
#include "image_devices.h"
#include "isolation/capabilities.h"
#include "isolation/rlimits.h"
#include "isolation/signals.h"
#include "runtime/backend/plan.h"
#include "runtime/oci/default_spec.h"

namespace trine::runtime::engine {
namespace {

constexpr const char* kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Docker's order: what it sets itself, then the image's, then the user's.
std::vector<std::string> environment(const images::ImageConfig& image, const RunOptions& options,
                                     const std::string& host_name) {
  std::vector<std::string> env{kDefaultPath, "HOSTNAME=" + host_name};
  if (options.terminal)
    env.emplace_back("TERM=xterm");
  for (const auto& entry : image.env)
    apply_env(env, entry);
  for (const auto& entry : options.env)
    apply_env(env, entry);
  return env;
}

/// A relative one begins at the root, as in Docker.
std::string working_directory(const images::ImageConfig& image, const RunOptions& options) {
  const std::string& path = options.working_directory.value_or(image.working_dir);
  return path.starts_with('/') ? path : "/" + path;
}

/// An empty --user is none, so that `-u "$UNSET"` does not make root of an image's user.
std::string user(const images::ImageConfig& image, const RunOptions& options) {
  return options.user && !options.user->empty() ? *options.user : image.user;
}

/// In the host's network an instance goes by the host's name.
std::string host_name(const RunOptions& options, const std::string& otherwise) {
  if (!options.hostname.empty())
    return options.hostname;
  std::array<char, HOST_NAME_MAX + 1> name{};
  const bool host = options.network == NetworkMode::kHost && ::gethostname(name.data(), name.size()) == 0;
  return host ? name.data() : otherwise;
}

std::vector<std::string> command_line(const images::ImageConfig& image, const RunOptions& options) {
  std::vector<std::string> args;
  if (!options.entrypoint) {
    args = image.entrypoint;
  } else if (!options.entrypoint->empty()) {
    args.push_back(*options.entrypoint);
  }
  // A new entrypoint does not get the arguments that were meant for the image's own.
  const bool image_cmd = options.command.empty() && !options.entrypoint;
  const auto& rest = image_cmd ? image.cmd : options.command;
  args.insert(args.end(), rest.begin(), rest.end());
  if (args.empty()) {
    throw base::Error("no command to run: the image has neither Entrypoint nor Cmd", 0,
                      "name a command after the image");
  }
  return args;
}

int require_capability(const std::string& name, const char* flag) {
  if (const auto number = isolation::parse_capability(name))
    return *number;
  throw base::Error(std::string(flag) + " " + name + ": there is no such capability", 0,
                    "capabilities(7) lists them; ALL means all");
}

bool is_all(const std::string& name) {
  return name == "ALL" || name == "all" || name == "CAP_ALL";
}

/// Docker's order: "all" first, then what is added, then what is dropped.
std::uint64_t capabilities(const RunOptions& options) {
  if (options.privileged)
    return isolation::available_capabilities();
  std::uint64_t mask = isolation::kDefaultCapabilities;
  if (std::ranges::any_of(options.cap_drop, is_all))
    mask = 0;
  if (std::ranges::any_of(options.cap_add, is_all))
    mask = isolation::available_capabilities();
  for (const auto& name : options.cap_add) {
    if (!is_all(name))
      mask |= isolation::capability_bit(require_capability(name, "--cap-add"));
  }
  for (const auto& name : options.cap_drop) {
    if (!is_all(name))
      mask &= ~isolation::capability_bit(require_capability(name, "--cap-drop"));
  }
  return mask;
}

std::vector<std::string> capability_names(std::uint64_t mask) {
  std::vector<std::string> names;
  for (int number = 0; number < 64; ++number) {
    if ((mask & isolation::capability_bit(number)) != 0)
      names.emplace_back(isolation::capability_name(number));
  }
  return names;
}

oci::Capabilities capability_sets(std::uint64_t mask, const std::string& user) {
  oci::Capabilities sets{.bounding = capability_names(mask)};
  // As in Docker: another user than root begins with none; exec of a set-user-id program gives them back.
  if (is_root(user)) {
    sets.effective = sets.bounding;
    sets.permitted = sets.bounding;
  }
  return sets;
}

void add_mount(oci::Spec& spec, oci::Mount mount) {
  std::erase_if(spec.mounts, [&](const oci::Mount& other) { return other.destination == mount.destination; });
  spec.mounts.push_back(std::move(mount));
}

oci::Mount to_mount(const VolumeMount& volume) {
  oci::Mount mount{.destination = volume.target};
  if (volume.kind == VolumeMount::Kind::kTmpfs) {
    mount.type = "tmpfs";
    mount.source = "tmpfs";
    mount.options = {"nosuid", "nodev", "noexec"};
  } else {
    mount.type = "bind";
    mount.source = volume.source;
    mount.options = {"rbind", "rprivate"};
    mount.uid_mappings = volume.uid_mappings;
    mount.gid_mappings = volume.gid_mappings;
  }
  mount.options.insert(mount.options.end(), volume.options.begin(), volume.options.end());
  if (volume.read_only)
    mount.options.insert(mount.options.end(), {"ro", "rro"});
  return mount;
}

void add_mounts(const images::ImageConfig& image, const RunOptions& options, oci::Spec& spec) {
  if (options.shm_bytes) {
    for (auto& mount : spec.mounts) {
      if (mount.destination == "/dev/shm")
        mount.options.back() = "size=" + std::to_string(*options.shm_bytes);
    }
  }
  // An image's volumes are in the writable layer, with what the image has there; with a read-only root they
  // need a place to be written to.
  if (options.read_only) {
    for (const auto& path : image.volumes) {
      add_mount(spec, {path, "tmpfs", "tmpfs", {"nosuid", "nodev", "tmpcopyup"}});
    }
  }
  // Parents before children, however they were given.
  auto volumes = options.mounts;
  std::ranges::stable_sort(volumes, {},
                           [](const VolumeMount& volume) { return std::ranges::count(volume.target, '/'); });
  for (const auto& volume : volumes)
    add_mount(spec, to_mount(volume));
}

/// --privileged: the host's devices, nothing hidden, nothing read-only.
void add_privileges(oci::Spec& spec) {
  spec.linux_part.masked_paths.clear();
  spec.linux_part.readonly_paths.clear();
  spec.linux_part.resources.devices = {{.allow = true, .type = "a"}};
  for (auto& mount : spec.mounts) {
    if (mount.destination == "/sys" || mount.destination == "/sys/fs/cgroup")
      std::erase(mount.options, "ro");
  }
  add_host_devices(spec);
}

/// Docker's rule: as much swap again as memory, unless told otherwise.
void add_memory(const cgroups::Limits& limits, ImageSpec& result) {
  oci::Memory& memory = result.spec.linux_part.resources.memory;
  memory.limit = limits.memory_bytes;
  memory.swap = limits.memory_swap_bytes;
  result.swap_is_default = memory.limit && !memory.swap;
  if (!result.swap_is_default)
    return;
  const bool fits = *memory.limit <= std::numeric_limits<std::int64_t>::max() / 2;
  memory.swap = fits ? *memory.limit * 2 : -1;
}

/// Sensors by which one tenant can tell what another computes; there is one for every CPU where there are
/// any.
void mask_thermal_sensors(oci::Spec& spec) {
  const std::string cpus = "/sys/devices/system/cpu/cpu";
  if (::access((cpus + "0/thermal_throttle").c_str(), F_OK) != 0)
    return;
  for (long cpu = 0; cpu < ::sysconf(_SC_NPROCESSORS_CONF); ++cpu) {
    spec.linux_part.masked_paths.push_back(cpus + std::to_string(cpu) + "/thermal_throttle");
  }
}

void add_limits(const RunOptions& options, ImageSpec& result) {
  oci::Resources& resources = result.spec.linux_part.resources;
  const cgroups::Limits& limits = options.limits;
  add_memory(limits, result);
  resources.cpu.shares = limits.cpu_shares;
  if (limits.cpu) {
    resources.cpu.quota = limits.cpu->quota_us;
    resources.cpu.period = limits.cpu->period_us;
  }
  resources.cpu.cpus = limits.cpuset_cpus;
  resources.cpu.mems = limits.cpuset_mems;
  resources.pids_limit = limits.pids_max;
  for (const auto& limit : options.ulimits) {
    result.spec.process.rlimits.push_back({.type = std::string(isolation::rlimit_name(limit.resource)),
                                           .soft = limit.soft,
                                           .hard = limit.hard});
  }
}

void add_seccomp(const RunOptions& options, std::uint64_t mask, ImageSpec& result) {
  const std::string& file = options.security.seccomp_file;
  if (file.empty()) {
    result.default_seccomp = !options.privileged && !options.security.seccomp_unconfined;
    return;
  }
  const auto number = [](const std::string& name) { return isolation::parse_capability(name).value_or(-1); };
  result.spec.linux_part.seccomp =
      oci::parse_seccomp_profile(base::read_file(file, 16 << 20), mask, number, file);
}

void apply_network(const RunOptions& options, oci::Spec& spec) {
  if (options.network == NetworkMode::kHost) {
    std::erase_if(spec.linux_part.namespaces,
                  [](const oci::Namespace& entry) { return entry.type == "network"; });
  }
  if (options.network == NetworkMode::kPrivate || options.network == NetworkMode::kNone) {
    // Unprivileged ports and pings need no privilege in a network that is all the container's own.
    spec.linux_part.sysctl["net.ipv4.ip_unprivileged_port_start"] = "0";
    spec.linux_part.sysctl["net.ipv4.ping_group_range"] = "0 2147483647";
  }
}

std::string stop_signal(const images::ImageConfig& image, const RunOptions& options) {
  const std::string& text = !options.stop_signal.empty() ? options.stop_signal : image.stop_signal;
  if (text.empty())
    return "SIGTERM";
  const auto number = isolation::parse_signal(text);
  if (!number)
    throw base::Error("the stop signal '" + text + "' is no signal", 0, "signal(7) lists them");
  return isolation::signal_name(*number);
}

}  // namespace

ImageSpec make_image_spec(const images::ImageConfig& image, const RunOptions& options,
                          const std::string& short_id) {
  ImageSpec result{.spec = oci::default_spec()};
  oci::Spec& spec = result.spec;
  result.user = user(image, options);
  result.stop_signal = stop_signal(image, options);
  spec.hostname = host_name(options, short_id);
  spec.root.readonly = options.read_only;
  spec.process.args = command_line(image, options);
  spec.process.env = environment(image, options, spec.hostname);
  spec.process.cwd = working_directory(image, options);
  spec.process.terminal = options.terminal;
  spec.process.no_new_privileges = options.security.no_new_privileges;
  const std::uint64_t mask = capabilities(options);
  spec.process.capabilities = capability_sets(mask, result.user);
  for (const auto& [key, value] : options.annotations)
    spec.annotations[key] = value;
  apply_network(options, spec);
  for (const auto& [name, value] : options.sysctls)
    spec.linux_part.sysctl[name] = value;
  add_limits(options, result);
  if (options.privileged) {
    add_privileges(spec);
  } else {
    mask_thermal_sensors(spec);
  }
  add_devices(options, spec);
  add_mounts(image, options, spec);
  add_seccomp(options, mask, result);
  return result;
}

}  // namespace trine::runtime::engine
