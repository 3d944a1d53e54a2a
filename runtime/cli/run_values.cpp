#include "run_values.h"

#include <climits>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "isolation/rlimits.h"

namespace trine::runtime::cli {
namespace {

using engine::RunOptions;

[[noreturn]] void refuse(const std::string& flag, const std::string& value, const std::string& why,
                         const std::string& hint) {
  throw base::Error(flag + " '" + value + "': " + why, 0, hint);
}

std::uint64_t size_of(const char* flag, const std::string& text) {
  const auto size = base::parse_size(text);
  if (!size || *size > static_cast<std::uint64_t>(INT64_MAX)) {
    refuse(flag, text, "it is no size", "a number of bytes, or with a unit: 512k, 64m, 2g");
  }
  return *size;
}

void check_absolute(const char* flag, const std::string& path, const std::string& whole) {
  if (!path.starts_with('/') || path == "/") {
    refuse(flag, whole, "the target '" + path + "' is not an absolute path below /", "begin it with a slash");
  }
}

/// A path of the host's, made absolute. A bare word would be a named volume.
std::string host_path(const char* flag, const std::string& path, const std::string& whole) {
  if (path.starts_with('/'))
    return path;
  if (path.starts_with("./") || path.starts_with("../") || path == "." || path == "..") {
    char absolute[PATH_MAX];
    if (::realpath(path.c_str(), absolute) == nullptr)
      base::throw_errno(std::string(flag) + " '" + whole + "'");
    return absolute;
  }
  refuse(flag, whole, "'" + path + "' is no path, and this version has no named volumes",
         "a directory of the host begins with / or ./");
}

}  // namespace

std::pair<std::string, std::string> parse_pair(const char* flag, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || text.empty())
    refuse(flag, text, "it has no key", "write KEY=VALUE");
  if (equals == std::string::npos)
    return {text, ""};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void set_isolation(RunOptions&, const std::string& text) {
  if (text == "container")
    return;
  if (text == "vm" || text == "full" || text == "auto") {
    throw base::Error("--isolation " + text + " is not built into this version of trine", 0,
                      "it has container only; a stronger class is never replaced by a weaker one");
  }
  refuse("--isolation", text, "there is no such class", "container, vm, full or auto");
}

void add_env(RunOptions& options, const std::string& text) {
  const auto equals = text.find('=');
  if (text.empty() || equals == 0)
    refuse("--env", text, "it has no name", "write NAME=VALUE");
  if (equals != std::string::npos) {
    options.env.push_back(text);
  } else if (const char* ours = std::getenv(text.c_str())) {
    options.env.push_back(text + "=" + ours);
  }
}

void add_env_file(RunOptions& options, const std::string& file) {
  for (const auto& line : base::split(base::read_file(file), '\n', base::SplitEmpty::kSkip)) {
    const std::string entry(line.find_first_not_of(" \t") == std::string::npos
                                ? std::string()
                                : line.substr(line.find_first_not_of(" \t")));
    if (!entry.empty() && entry.front() != '#')
      add_env(options, entry);
  }
}

void set_working_directory(RunOptions& options, const std::string& text) {
  if (!text.starts_with('/'))
    refuse("--workdir", text, "it is not an absolute path", "begin it with a slash");
  options.working_directory = text;
}

void add_volume(RunOptions& options, const std::string& text) {
  const auto parts = base::split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) {
    refuse("--volume", text, "it has no source and target", "write SOURCE:TARGET or SOURCE:TARGET:ro");
  }
  engine::VolumeMount mount{
      .source = host_path("--volume", parts[0], text), .target = parts[1], .create_source = true};
  check_absolute("--volume", mount.target, text);
  if (parts.size() == 3) {
    for (const auto& option : base::split(parts[2], ',', base::SplitEmpty::kSkip)) {
      if (option == "ro") {
        mount.read_only = true;
      } else if (option != "rw" && option != "z" && option != "Z") {  // labels, where there is no SELinux
        mount.options.push_back(option);
      }
    }
  }
  options.mounts.push_back(std::move(mount));
}

void add_mount(RunOptions& options, const std::string& text) {
  const std::string usage =
      "write type=bind,src=/host,dst=/in/it[,ro] or type=tmpfs,dst=/in/it[,tmpfs-size=64m]";
  engine::VolumeMount mount;
  for (const auto& field : base::split(text, ',', base::SplitEmpty::kSkip)) {
    const auto [key, value] = parse_pair("--mount", field);
    if (key == "type") {
      if (value != "bind" && value != "tmpfs") {
        refuse("--mount", text, "the type '" + value + "' is not built into this version of trine", usage);
      }
      mount.kind = value == "bind" ? engine::VolumeMount::Kind::kBind : engine::VolumeMount::Kind::kTmpfs;
    } else if (key == "src" || key == "source") {
      mount.source = host_path("--mount", value, text);
    } else if (key == "dst" || key == "destination" || key == "target") {
      mount.target = value;
    } else if (key == "ro" || key == "readonly") {
      mount.read_only = value.empty() || value == "true" || value == "1";
    } else if (key == "tmpfs-size") {
      mount.options.push_back("size=" + std::to_string(size_of("--mount", value)));
    } else if (key == "tmpfs-mode") {
      mount.options.push_back("mode=" + value);
    } else if (key == "bind-propagation") {
      mount.options.push_back(value);
    } else {
      refuse("--mount", text, "'" + key + "' is unknown", usage);
    }
  }
  check_absolute("--mount", mount.target, text);
  const bool bind = mount.kind == engine::VolumeMount::Kind::kBind;
  if (bind == mount.source.empty()) {
    refuse("--mount", text, bind ? "a bind mount needs a source" : "a tmpfs has no source", usage);
  }
  options.mounts.push_back(std::move(mount));
}

void add_tmpfs(RunOptions& options, const std::string& text) {
  const auto colon = text.find(':');
  engine::VolumeMount mount{
      .kind = engine::VolumeMount::Kind::kTmpfs, .source = {}, .target = text.substr(0, colon)};
  check_absolute("--tmpfs", mount.target, text);
  if (colon != std::string::npos)
    mount.options = base::split(text.substr(colon + 1), ',', base::SplitEmpty::kSkip);
  options.mounts.push_back(std::move(mount));
}

void set_shm_size(RunOptions& options, const std::string& text) {
  options.shm_bytes = size_of("--shm-size", text);
}

void add_device(RunOptions& options, const std::string& text) {
  const auto parts = base::split(text, ':');
  engine::DeviceRequest device{.host_path = parts[0], .container_path = parts[0]};
  if (parts.size() == 2 && !parts[1].starts_with('/')) {
    device.access = parts[1];
  } else if (parts.size() >= 2) {
    device.container_path = parts[1];
  }
  if (parts.size() == 3)
    device.access = parts[2];
  if (parts.size() > 3 || !device.host_path.starts_with('/') || !device.container_path.starts_with('/') ||
      device.access.empty() || device.access.find_first_not_of("rwm") != std::string::npos) {
    refuse("--device", text, "it is no device",
           "write /dev/name, /dev/name:/dev/in-it or /dev/name:/dev/in-it:rw");
  }
  options.devices.push_back(std::move(device));
}

void set_network(RunOptions& options, const std::string& text) {
  constexpr std::string_view kContainer = "container:";
  if (text == "private") {
    options.network = engine::NetworkMode::kPrivate;
  } else if (text == "none") {
    options.network = engine::NetworkMode::kNone;
  } else if (text == "host") {
    options.network = engine::NetworkMode::kHost;
  } else if (text.starts_with(kContainer) && text.size() > kContainer.size()) {
    options.network = engine::NetworkMode::kContainer;
    options.network_container = text.substr(kContainer.size());
  } else {
    refuse("--network", text, "there is no such network", "private, none, host or container:NAME");
  }
}

void set_memory(RunOptions& options, const std::string& text) {
  constexpr std::uint64_t kLeast = 6 << 20;  // Docker's: no program starts with less
  const std::uint64_t bytes = size_of("--memory", text);
  if (bytes < kLeast)
    refuse("--memory", text, "it is less than 6 MiB, with which no program starts", "give it more");
  options.limits.memory_bytes = static_cast<std::int64_t>(bytes);
}

void set_memory_swap(RunOptions& options, const std::string& text) {
  if (!options.limits.memory_bytes) {
    refuse("--memory-swap", text, "it limits memory and swap together", "give --memory too");
  }
  if (text == "-1") {
    options.limits.memory_swap_bytes = -1;
    return;
  }
  options.limits.memory_swap_bytes = static_cast<std::int64_t>(size_of("--memory-swap", text));
  if (*options.limits.memory_swap_bytes < *options.limits.memory_bytes) {
    refuse("--memory-swap", text, "it is less than --memory, and is of both together",
           "give at least as much");
  }
}

void set_cpus(RunOptions& options, const std::string& text) {
  constexpr std::uint64_t kPeriod = 100'000;
  char* end = nullptr;
  const double cpus = std::strtod(text.c_str(), &end);
  const bool plain =
      !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos && *end == '\0';
  // The kernel's smallest quota is a millisecond.
  if (!plain || cpus < 0.01 || cpus > 100'000) {
    refuse("--cpus", text, "it is no number of CPUs from 0.01 up", "as in 0.5, 1 or 2.5");
  }
  options.limits.cpu =
      cgroups::CpuQuota{.quota_us = static_cast<std::int64_t>(cpus * kPeriod), .period_us = kPeriod};
}

void set_cpu_shares(RunOptions& options, const std::string& text) {
  const auto shares = base::parse_unsigned(text);
  if (!shares || *shares < 2 || *shares > 262144) {
    refuse("--cpu-shares", text, "it is no number from 2 to 262144", "1024 is what others have");
  }
  options.limits.cpu_shares = *shares;
}

void set_cpuset(RunOptions& options, const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789,-") != std::string::npos) {
    refuse("--cpuset-cpus", text, "it is no list of CPUs", "as in 0-2,4");
  }
  options.limits.cpuset_cpus = text;
}

void set_pids_limit(RunOptions& options, const std::string& text) {
  const auto count = base::parse_unsigned(text);
  if (text != "-1" && (!count || *count > INT_MAX)) {
    refuse("--pids-limit", text, "it is no number of processes", "-1 means no limit");
  }
  if (text == "-1" || *count == 0)
    return;
  options.limits.pids_max = static_cast<std::int64_t>(*count);
}

void add_ulimit(RunOptions& options, const std::string& text) {
  options.ulimits.push_back(isolation::parse_ulimit(text));
}

void add_security_option(RunOptions& options, const std::string& text) {
  const auto separator = text.find_first_of("=:");
  const std::string key = text.substr(0, separator);
  const std::string value = separator == std::string::npos ? "" : text.substr(separator + 1);
  if (key == "no-new-privileges" && (value.empty() || value == "true" || value == "false")) {
    options.security.no_new_privileges = value != "false";
  } else if (key == "seccomp" && value == "unconfined") {
    options.security.seccomp_unconfined = true;
  } else if (key == "seccomp" && !value.empty()) {
    options.security.seccomp_unconfined = false;
    options.security.seccomp_file = value;
  } else {
    refuse("--security-opt", text, "it is unknown", "seccomp=unconfined, seccomp=FILE or no-new-privileges");
  }
}

}  // namespace trine::runtime::cli
