#include "vm_rates.h"

#include <cstdint>

#include "base/error.h"
#include "runtime/backend/vm_rate.h"

namespace trine::runtime::oci_cli {
namespace {

constexpr const char* kNetRate = "dev.trine.vm-net-rate";
constexpr const char* kDiskRate = "dev.trine.vm-disk-rate";

/// The lower of two limits, of which 0 is none. Throws when it is not the bundle's `asked`.
std::uint64_t lower(std::uint64_t asked, std::uint64_t given, const char* what, const std::string& file) {
  if (asked == 0)
    return given;
  if (given != 0 && asked > given) {
    throw base::Error("config.json: the annotation " + std::string(kNetRate) + " asks for " + what + "=" +
                          std::to_string(asked) + ", and " + file + " gives " + what + "=" +
                          std::to_string(given),
                      0, "ask for less, or have the administrator change net_rate there");
  }
  return asked;
}

}  // namespace

backend::Rate choose_net_rate(const oci::Spec& spec, const VmConfig& config, const std::string& file) {
  if (spec.annotations.contains(kDiskRate)) {
    throw base::Error("config.json: the annotation " + std::string(kDiskRate) +
                          " cannot be followed: a bundle's root and mounts are directories, not disks",
                      0, "linux.resources.blockIO limits what its monitor reads and writes on the host");
  }
  const auto found = spec.annotations.find(kNetRate);
  if (found == spec.annotations.end())
    return config.net_rate;
  backend::Rate asked;
  try {
    asked = backend::parse_rate(found->second, "packets");
  } catch (const base::Error& error) {
    throw base::Error("config.json: the annotation " + std::string(kNetRate) + " '" + found->second +
                          "': " + error.message(),
                      0, error.hint());
  }
  return {.bytes = lower(asked.bytes, config.net_rate.bytes, "bytes", file),
          .count = lower(asked.count, config.net_rate.count, "packets", file)};
}

void refuse_vm_rates(const oci::Spec& spec) {
  for (const char* name : {kNetRate, kDiskRate}) {
    if (spec.annotations.contains(name)) {
      throw base::Error("config.json: the annotation " + std::string(name) + " is for the isolation class vm",
                        0, "leave it out, or add the annotation dev.trine.isolation=vm");
    }
  }
}

}  // namespace trine::runtime::oci_cli
