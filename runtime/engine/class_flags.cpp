#include <array>
#include <utility>

#include "base/error.h"
#include "runtime/engine/class_choice.h"

namespace trine::runtime::engine {
namespace {

/// A flag that says something about the host that a guest has nothing of.
struct Meaningless {
  const char* flag;
  bool (*is_given)(const RunOptions&);
  const char* hint;
};

constexpr const char* kNoNetwork = "the guest has no network but loopback then";

constexpr Meaningless kMeaningless[] = {
    {"a bundle", [](const RunOptions& o) { return o.image.starts_with("bundle:"); },
     "trine-oci runs bundles, as containers"},
    {"--network host", [](const RunOptions& o) { return o.network == NetworkMode::kHost; },
     "a guest has a network of its own; ns:/PATH gives it a network namespace's"},
    {"--network container:…", [](const RunOptions& o) { return o.network == NetworkMode::kContainer; },
     "a guest has a network of its own"},
    {"--device", [](const RunOptions& o) { return !o.devices.empty(); }, "a guest has devices of its own"},
    {"--privileged", [](const RunOptions& o) { return o.privileged; },
     "its devices are the host's; --cap-add ALL gives all capabilities inside the guest"},
    {"--memory-swap", [](const RunOptions& o) { return o.limits.memory_swap_bytes.has_value(); },
     "a guest has no swap"},
    {"--cpu-shares", [](const RunOptions& o) { return o.limits.cpu_shares.has_value(); },
     "--cpus gives a guest its processors"},
    {"--cpuset-cpus", [](const RunOptions& o) { return o.limits.cpuset_cpus.has_value(); },
     "--cpus gives a guest its processors"},
    {"--vm-net-rate without --network ns:/PATH",
     [](const RunOptions& o) { return o.vm_net_rate.is_given() && o.network != NetworkMode::kNamespace; },
     kNoNetwork},
    {"--vm-net-queues without --network ns:/PATH",
     [](const RunOptions& o) { return o.vm_net_queues && o.network != NetworkMode::kNamespace; }, kNoNetwork},
};

void refuse_container_flags(const RunOptions& options, const std::string& place) {
  const std::string by =
      place.empty() ? "" : ", the class that the isolation policy has chosen (" + place + ")";
  for (const Meaningless& entry : kMeaningless) {
    if (entry.is_given(options))
      throw base::Error(std::string(entry.flag) + " cannot be given with --isolation vm" + by, 0, entry.hint);
  }
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

}  // namespace

void refuse_flags_of_others(const RunOptions& options, const ClassChoice& choice) {
  if (choice.isolation == policy::Class::kVm)
    refuse_container_flags(options, choice.place);
  else
    refuse_vm_flags(options);
}

}  // namespace trine::runtime::engine
