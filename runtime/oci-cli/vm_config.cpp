#include "vm_config.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "isolation/rootless.h"
#include "runtime/backend/vm_rate.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMostBytes = 64 << 10;
constexpr std::uint64_t kMostCpus = 64;
constexpr std::uint64_t kMostSeconds = 3600;

std::string default_kernels() {
  if (!isolation::is_rootless())
    return "/var/lib/trine/kernels";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
    return std::string(data) + "/trine/kernels";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.local/share/trine/kernels";
}

std::uint64_t number_between(const std::string& key, std::uint64_t value, std::uint64_t least,
                             std::uint64_t most) {
  if (value < least || value > most) {
    throw base::Error(key + " is " + std::to_string(value) + ", which is not between " +
                      std::to_string(least) + " and " + std::to_string(most));
  }
  return value;
}

std::uint64_t bytes_of(const std::string& text) {
  const auto size = base::parse_size(text);
  if (!size)
    throw base::Error("memory '" + text + "' is no size", 0, "as in \"512m\" or \"2g\"");
  return number_between("memory", *size, backend::kLeastVmMemory, 1ULL << 40U);
}

backend::Rate net_rate_of(const std::string& text) {
  try {
    return backend::parse_rate(text, "packets");
  } catch (const base::Error& error) {
    throw base::Error("net_rate '" + text + "': " + error.message(), 0, error.hint());
  }
}

VmAllowance read_allowance(const Json& value) {
  VmAllowance allow;
  for (const auto& [key, patterns] : value.get<Json::object_t>()) {
    if (key == "kernels")
      allow.kernels = patterns.get<std::vector<std::string>>();
    else if (key == "parameters")
      allow.parameters = patterns.get<std::vector<std::string>>();
    else
      throw base::Error("there is no key 'allow." + key + "'", 0, "kernels, parameters");
  }
  for (const std::string& pattern : allow.kernels) {
    if (!pattern.starts_with('/'))
      throw base::Error("allow.kernels '" + pattern + "' is not an absolute path");
  }
  return allow;
}

void set(VmConfig& config, const std::string& key, const Json& value) {
  if (key == "kernels")
    config.kernels = value.get<std::string>();
  else if (key == "kernel")
    config.kernel = value.get<std::string>();
  else if (key == "memory")
    config.memory_bytes = bytes_of(value.get<std::string>());
  else if (key == "cpus")
    config.cpus = static_cast<unsigned>(number_between(key, value.get<std::uint64_t>(), 1, kMostCpus));
  else if (key == "net_rate")
    config.net_rate = net_rate_of(value.get<std::string>());
  else if (key == "boot_seconds")
    config.boot_limit =
        std::chrono::seconds(number_between(key, value.get<std::uint64_t>(), 1, kMostSeconds));
  else if (key == "allow")
    config.allow = read_allowance(value);
  else
    throw base::Error("there is no key '" + key + "'", 0,
                      "kernels, kernel, memory, cpus, net_rate, boot_seconds, allow");
}

void check_owner(int file, const std::string& name) {
  struct stat status{};
  if (::fstat(file, &status) != 0)
    base::throw_errno("cannot look at " + name);
  if (!S_ISREG(status.st_mode) || (status.st_uid != 0 && status.st_uid != ::geteuid()) ||
      (status.st_mode & 022) != 0)
    throw base::Error(name + " is not believed: others than its owner may write it, or it is another's", 0,
                      "chown root " + name + "; chmod go-w " + name);
}

}  // namespace

VmConfig read_vm_config(const std::string& file) {
  VmConfig config{.kernels = default_kernels(), .kernel = {}};
  const base::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR)
      return config;
    base::throw_errno("cannot read " + file);
  }
  check_owner(fd.get(), file);
  try {
    const Json document = Json::parse(base::read_all(fd.get(), file, kMostBytes));
    for (const auto& [key, value] : document.get<Json::object_t>())
      set(config, key, value);
  } catch (const base::Error& error) {
    throw base::Error(file + ": " + error.message(), 0, error.hint());
  } catch (const Json::exception&) {
    throw base::Error(file + " is no JSON object of the form that trine-oci(1) has");
  }
  return config;
}

}  // namespace trine::runtime::oci_cli
