#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "idmap_value.h"
#include "run_values.h"

/// -v, --mount, --tmpfs, --shm-size and --device. Source: Docker's reference of `docker run`.
namespace trine::runtime::cli {
namespace {

using engine::RunOptions;
using engine::VolumeMount;
using Kind = VolumeMount::Kind;

constexpr const char* kVolumeUsage =
    "write SOURCE:TARGET or SOURCE:TARGET:OPTION,… with ro, rw, noexec, nosuid, nodev, idmap=, rslave, …";
constexpr const char* kMountUsage =
    "write type=bind,src=/host,dst=/in/it[,ro] or type=tmpfs,dst=/in/it[,tmpfs-size=64m]";
constexpr const char* kTmpfsUsage = "write TARGET or TARGET:OPTION,… with size=, mode=, exec, ro, …";

constexpr std::array kAttributes{"rw",       "nosuid", "suid",  "nodev",      "dev",        "noexec",
                                 "exec",     "atime",  "async", "noatime",    "diratime",   "nodiratime",
                                 "relatime", "sync",   "ro",    "norelatime", "strictatime"};
constexpr std::array kPropagations{"private", "rprivate", "shared", "rshared", "slave", "rslave"};
/// What Docker takes and what means nothing here: labels of SELinux, caches of a VM, copies into volumes.
constexpr std::array kIgnored{"z", "Z", "cached", "delegated", "consistent", "default", "nocopy"};
/// Of a tmpfs, each with a value.
constexpr std::array kTmpfsKeys{"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol", "huge"};

template <typename Table>
bool contains(const Table& table, const std::string& word) {
  return std::ranges::find(table, word) != table.end();
}

std::string read_target(const char* flag, const std::string& path, const std::string& whole) {
  std::string clean = std::filesystem::path(path).lexically_normal();
  if (clean.size() > 1 && clean.ends_with('/'))
    clean.pop_back();
  if (!clean.starts_with('/') || clean.find_first_not_of('/') == std::string::npos)
    refuse(flag, whole, "the target '" + path + "' is not an absolute path below /", "as in /data");
  return clean;
}

/// A path of the host's, made absolute. A bare word would be a named volume.
std::string read_source(const char* flag, const std::string& path, const std::string& whole) {
  if (path.starts_with('/'))
    return path;
  if (path == "." || path == ".." || path.starts_with("./") || path.starts_with("../")) {
    std::error_code error;
    const auto absolute = std::filesystem::weakly_canonical(path, error);
    if (error)
      refuse(flag, whole, error.message(), "give the path from / on");
    return absolute;
  }
  refuse(flag, whole, "'" + path + "' is no path, and named volumes are not built into this version",
         "a directory of the host begins with / or ./");
}

/// Docker's true and false; a key without a value is true.
bool read_bool(const std::string& text, bool has_value, const std::string& whole) {
  if (!has_value || text == "true" || text == "1")
    return true;
  if (text != "false" && text != "0")
    refuse("--mount", whole, "'" + text + "' is neither true nor false", kMountUsage);
  return false;
}

/// The fields of a line of CSV: a field that holds a comma is put in quotes.
std::vector<std::string> split_fields(const std::string& text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[i++];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += text[i];
    }
  }
  if (quoted)
    refuse("--mount", text, "a quote is not closed", kMountUsage);
  return fields;
}

/// A value of --mount as it is put together, with what is to be known before it can be checked.
struct MountText {
  const std::string& whole;
  std::string type;
  VolumeMount mount;
  std::string bind_key, tmpfs_key;  ///< a key that only one type has
};

void set_type(MountText& text, const std::string& value) {
  if (value == "volume")
    refuse("--mount", text.whole, "named volumes are not built into this version", kMountUsage);
  if (value != "bind" && value != "tmpfs")
    refuse("--mount", text.whole, "there is no type '" + value + "'", kMountUsage);
  text.type = value;
  text.mount.kind = value == "bind" ? Kind::kBind : Kind::kTmpfs;
}

void set_bind_recursive(MountText& text, const std::string& value) {
  if (value == "disabled") {
    text.mount.options.emplace_back("bind");
  } else if (value != "enabled") {
    refuse("--mount", text.whole, "bind-recursive is enabled or disabled, not '" + value + "'", kMountUsage);
  }
}

void set_propagation(MountText& text, const std::string& value) {
  if (!contains(kPropagations, value))
    refuse("--mount", text.whole, "there is no propagation '" + value + "'",
           "private, rprivate, shared, rshared, slave or rslave");
  text.mount.options.push_back(value);
}

void set_mode(MountText& text, const std::string& value) {
  if (value.empty() || value.size() > 5 || value.find_first_not_of("01234567") != std::string::npos)
    refuse("--mount", text.whole, "'" + value + "' is no mode", "as in tmpfs-mode=1777");
  text.mount.options.push_back("mode=" + value);
}

void set_field(MountText& text, const std::string& field) {
  const auto equals = field.find('=');
  const bool has_value = equals != std::string::npos;
  const std::string key = field.substr(0, equals);
  const std::string value = has_value ? field.substr(equals + 1) : "";
  if (key.starts_with("bind-"))
    text.bind_key = key;
  if (key.starts_with("tmpfs-"))
    text.tmpfs_key = key;
  if (key == "type") {
    set_type(text, value);
  } else if (key == "src" || key == "source") {
    text.mount.source = read_source("--mount", value, text.whole);
  } else if (key == "dst" || key == "destination" || key == "target") {
    text.mount.target = read_target("--mount", value, text.whole);
  } else if (key == "ro" || key == "readonly") {
    text.mount.read_only = read_bool(value, has_value, text.whole);
  } else if (key == "bind-propagation") {
    set_propagation(text, value);
  } else if (key == "bind-nonrecursive") {
    if (read_bool(value, has_value, text.whole))
      text.mount.options.emplace_back("bind");
  } else if (key == "bind-recursive") {
    set_bind_recursive(text, value);
  } else if (key == "tmpfs-size") {
    text.mount.options.push_back("size=" + std::to_string(read_size("--mount tmpfs-size", value)));
  } else if (key == "tmpfs-mode") {
    set_mode(text, value);
  } else if (key != "consistency") {  // of a cache that only Docker's VM has
    refuse("--mount", text.whole, "'" + key + "' is unknown", kMountUsage);
  }
}

void check_mount(const MountText& text) {
  if (text.type.empty())
    refuse("--mount", text.whole, "it has no type, which would be a named volume", kMountUsage);
  if (text.mount.target.empty())
    refuse("--mount", text.whole, "it has no target", kMountUsage);
  const bool bind = text.mount.kind == Kind::kBind;
  if (bind == text.mount.source.empty())
    refuse("--mount", text.whole, bind ? "a bind mount needs a source" : "a tmpfs has no source",
           kMountUsage);
  const std::string& alien = bind ? text.tmpfs_key : text.bind_key;
  if (!alien.empty())
    refuse("--mount", text.whole, alien + " is not for type=" + text.type, kMountUsage);
}

void add_volume_option(VolumeMount& mount, const std::string& option, const std::string& whole) {
  if (option == "ro" || option == "rw") {
    mount.read_only = option == "ro";
  } else if (contains(kAttributes, option) || contains(kPropagations, option)) {
    mount.options.push_back(option);
  } else if (is_idmap(option)) {
    set_idmap(mount, option, whole);
  } else if (!contains(kIgnored, option)) {
    refuse("--volume", whole, "there is no option '" + option + "'", kVolumeUsage);
  }
}

void add_tmpfs_option(VolumeMount& mount, const std::string& option, const std::string& whole) {
  const auto equals = option.find('=');
  const bool known = equals == std::string::npos ? contains(kAttributes, option)
                                                 : contains(kTmpfsKeys, option.substr(0, equals));
  if (!known)
    refuse("--tmpfs", whole, "there is no option '" + option + "'", kTmpfsUsage);
  mount.options.push_back(option);
}

bool is_access(const std::string& text) {
  const auto once = [&](char c) { return std::ranges::count(text, c) <= 1; };
  return !text.empty() && text.find_first_not_of("rwm") == std::string::npos && once('r') && once('w') &&
         once('m');
}

}  // namespace

void add_volume(RunOptions& options, const std::string& text) {
  const auto parts = base::split(text, ':');
  if (parts.size() < 2 || parts.size() > 3)
    refuse("--volume", text, "it is not a source and a target", kVolumeUsage);
  VolumeMount mount{.source = read_source("--volume", parts[0], text),
                    .target = read_target("--volume", parts[1], text),
                    .create_source = true};
  if (parts.size() == 3) {
    for (const auto& option : base::split(parts[2], ','))
      add_volume_option(mount, option, text);
  }
  options.mounts.push_back(std::move(mount));
}

void add_mount(RunOptions& options, const std::string& text) {
  MountText parsed{.whole = text, .type = {}, .mount = {}, .bind_key = {}, .tmpfs_key = {}};
  for (const auto& field : split_fields(text))
    set_field(parsed, field);
  check_mount(parsed);
  options.mounts.push_back(std::move(parsed.mount));
}

void add_tmpfs(RunOptions& options, const std::string& text) {
  const auto colon = text.find(':');
  VolumeMount mount{
      .kind = Kind::kTmpfs, .source = {}, .target = read_target("--tmpfs", text.substr(0, colon), text)};
  if (colon != std::string::npos) {
    for (const auto& option : base::split(text.substr(colon + 1), ','))
      add_tmpfs_option(mount, option, text);
  }
  options.mounts.push_back(std::move(mount));
}

void set_shm_size(RunOptions& options, const std::string& text) {
  options.shm_bytes = read_size("--shm-size", text);
  if (options.shm_bytes == 0)
    refuse("--shm-size", text, "the kernel would take it for no limit", "as in 64m");
}

void add_device(RunOptions& options, const std::string& text) {
  const auto parts = base::split(text, ':');
  engine::DeviceRequest device{.host_path = parts[0], .container_path = parts[0]};
  const bool access_only = parts.size() == 2 && is_access(parts[1]);
  if (parts.size() >= 2 && !access_only)
    device.container_path = parts[1];
  if (parts.size() == 3 || access_only)
    device.access = parts.back();
  if (parts.size() > 3 || !device.host_path.starts_with('/') || !device.container_path.starts_with('/') ||
      !is_access(device.access)) {
    refuse("--device", text, "it is no device",
           "write /dev/name, /dev/name:/dev/in-it or /dev/name:/dev/in-it:rw");
  }
  options.devices.push_back(std::move(device));
}

void check_targets(const RunOptions& options) {
  for (auto one = options.mounts.begin(); one != options.mounts.end(); ++one) {
    const auto other = std::find_if(std::next(one), options.mounts.end(),
                                    [&](const VolumeMount& mount) { return mount.target == one->target; });
    if (other == options.mounts.end())
      continue;
    throw base::Error("two mounts have the target " + one->target + ", and one would hide the other", 0,
                      "leave one of them out");
  }
}

}  // namespace trine::runtime::cli
