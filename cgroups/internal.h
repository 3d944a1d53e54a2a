#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cgroups/group.h"

/// What the files of this folder share.
namespace trine::cgroups {

/// One directory being filled. Values are written by openat() on its descriptor.
class Directory {
 public:
  explicit Directory(std::string path);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] base::UniqueFd take() { return std::move(fd_); }

  [[nodiscard]] bool has(const char* file) const;
  /// Throws Error: "cannot set WHAT: …", with the file and the value.
  void write(const char* file, const std::string& value, const std::string& what) const;
  void write(const char* file, std::int64_t value, const std::string& what) const {
    write(file, std::to_string(value), what);
  }
  [[nodiscard]] std::optional<std::string> read(const char* file) const;
  [[nodiscard]] std::optional<std::uint64_t> read_number(const char* file) const;

 private:
  std::string path_;
  base::UniqueFd fd_;
};

/// "key value" lines, as memory.events and memory.oom_control have them.
std::optional<std::uint64_t> find_key(const std::string& text, std::string_view key);

/// A controller: which limits need it, and how each version takes them.
struct Controller {
  const char* name;  ///< of version 2
  const char* v1_name;
  const char* limit;  ///< as an error names what was asked for
  bool (*wanted)(const Limits&);
  void (*apply_v1)(const Directory&, const Limits&);  ///< null: version 1 has none
  void (*apply_v2)(const Directory&, const Limits&);
};

extern const Controller kMemory, kCpu, kCpuset, kPids, kIo, kHugetlb;

// devices_v1.cpp, devices_bpf.cpp
void apply_devices_v1(const Directory& directory, const std::vector<DeviceRule>& rules);
/// Attaches an eBPF program to a version 2 group. False: this kernel has no such programs.
bool apply_devices_bpf(const Directory& directory, const std::vector<DeviceRule>& rules);

}  // namespace trine::cgroups
