#include "isolation/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>

namespace trine::isolation {
namespace {

// Values of MOUNT_ATTR_… (linux/mount.h, which cannot be included beside sys/mount.h).
constexpr std::uint64_t kReadOnly = 0x1;
constexpr std::uint64_t kNoSuid = 0x2;
constexpr std::uint64_t kNoDev = 0x4;
constexpr std::uint64_t kNoExec = 0x8;
constexpr std::uint64_t kAtimeMask = 0x70;
constexpr std::uint64_t kNoAtime = 0x10;
constexpr std::uint64_t kStrictAtime = 0x20;
constexpr std::uint64_t kNoDirAtime = 0x80;
constexpr std::uint64_t kNoSymlinkFollow = 0x00200000;

/// Options about the mount itself. With an "r" before them they apply to the whole tree. The access-time ones
/// are values of one field, so each clears the field first.
struct Attribute {
  std::string_view name;
  std::uint64_t set;
  std::uint64_t clear;
};
constexpr std::array kAttributes{Attribute{"ro", kReadOnly, 0},
                                 Attribute{"rw", 0, kReadOnly},
                                 Attribute{"nosuid", kNoSuid, 0},
                                 Attribute{"suid", 0, kNoSuid},
                                 Attribute{"nodev", kNoDev, 0},
                                 Attribute{"dev", 0, kNoDev},
                                 Attribute{"noexec", kNoExec, 0},
                                 Attribute{"exec", 0, kNoExec},
                                 Attribute{"nodiratime", kNoDirAtime, 0},
                                 Attribute{"diratime", 0, kNoDirAtime},
                                 Attribute{"relatime", 0, kAtimeMask},
                                 Attribute{"norelatime", kStrictAtime, kAtimeMask},
                                 Attribute{"noatime", kNoAtime, kAtimeMask},
                                 Attribute{"atime", 0, kAtimeMask},
                                 Attribute{"strictatime", kStrictAtime, kAtimeMask},
                                 Attribute{"nostrictatime", 0, kAtimeMask},
                                 Attribute{"nosymfollow", kNoSymlinkFollow, 0},
                                 Attribute{"symfollow", 0, kNoSymlinkFollow}};

/// Options about the file system, which every mount of it shares.
struct Flag {
  std::string_view name;
  unsigned long set;
  unsigned long clear;
};
constexpr std::array kFlags{
    Flag{"sync", MS_SYNCHRONOUS, 0},   Flag{"async", 0, MS_SYNCHRONOUS},    Flag{"dirsync", MS_DIRSYNC, 0},
    Flag{"lazytime", MS_LAZYTIME, 0},  Flag{"nolazytime", 0, MS_LAZYTIME},  Flag{"mand", MS_MANDLOCK, 0},
    Flag{"nomand", 0, MS_MANDLOCK},    Flag{"silent", MS_SILENT, 0},        Flag{"loud", 0, MS_SILENT},
    Flag{"iversion", MS_I_VERSION, 0}, Flag{"noiversion", 0, MS_I_VERSION}, Flag{"defaults", 0, 0}};

struct Propagation {
  std::string_view name;
  unsigned long flags;
};
constexpr std::array kPropagations{
    Propagation{"shared", MS_SHARED},         Propagation{"rshared", MS_SHARED | MS_REC},
    Propagation{"slave", MS_SLAVE},           Propagation{"rslave", MS_SLAVE | MS_REC},
    Propagation{"private", MS_PRIVATE},       Propagation{"rprivate", MS_PRIVATE | MS_REC},
    Propagation{"unbindable", MS_UNBINDABLE}, Propagation{"runbindable", MS_UNBINDABLE | MS_REC}};

/// Options that change what is done, not how it is mounted.
struct Switch {
  std::string_view name;
  void (*apply)(Mount&);
};
constexpr std::array kSwitches{
    Switch{"bind", [](Mount& mount) { mount.bind = true; }},
    Switch{"rbind", [](Mount& mount) { mount.bind = mount.recursive = true; }},
    Switch{"remount", [](Mount& mount) { mount.remount = true; }},
    Switch{"tmpcopyup", [](Mount& mount) { mount.copy_up = true; }},
    Switch{"copy-symlink", [](Mount& mount) { mount.copy_symlink = true; }},
    Switch{"idmap", [](Mount& mount) { mount.idmap = true; }},
    Switch{"ridmap", [](Mount& mount) { mount.idmap = mount.idmap_recursive = true; }}};

template <typename Table>
auto find(const Table& table, std::string_view name) -> const typename Table::value_type* {
  const auto entry = std::ranges::find(table, name, &Table::value_type::name);
  return entry != table.end() ? &*entry : nullptr;
}

void apply(const Attribute& attribute, std::uint64_t& set, std::uint64_t& clear) {
  set = (set & ~attribute.clear) | attribute.set;
  clear = (clear & ~attribute.set) | attribute.clear;
}

bool apply_attribute(std::string_view option, Mount& mount) {
  if (const auto* attribute = find(kAttributes, option)) {
    apply(*attribute, mount.set_attributes, mount.clear_attributes);
    return true;
  }
  if (!option.starts_with('r'))
    return false;
  const auto* attribute = find(kAttributes, option.substr(1));
  if (attribute == nullptr)
    return false;
  apply(*attribute, mount.recursive_set_attributes, mount.recursive_clear_attributes);
  return true;
}

void apply_option(const std::string& option, Mount& mount) {
  if (apply_attribute(option, mount))
    return;
  if (const auto* flag = find(kFlags, option)) {
    mount.super_flags = (mount.super_flags & ~flag->clear) | flag->set;
  } else if (const unsigned long propagation = parse_propagation(option)) {
    mount.propagation.push_back(propagation);
  } else if (const auto* change = find(kSwitches, option)) {
    change->apply(mount);
  } else {
    mount.data += (mount.data.empty() ? "" : ",") + option;
  }
}

}  // namespace

unsigned long parse_propagation(std::string_view name) {
  const auto* entry = find(kPropagations, name);
  return entry != nullptr ? entry->flags : 0;
}

std::vector<std::string> mount_option_names() {
  std::vector<std::string> names;
  for (const auto& attribute : kAttributes) {
    names.emplace_back(attribute.name);
    names.push_back("r" + std::string(attribute.name));
  }
  for (const auto& flag : kFlags)
    names.emplace_back(flag.name);
  for (const auto& propagation : kPropagations)
    names.emplace_back(propagation.name);
  for (const auto& change : kSwitches)
    names.emplace_back(change.name);
  std::ranges::sort(names);
  return names;
}

void parse_mount_options(const std::vector<std::string>& options, Mount& mount) {
  if (mount.type == "bind")
    mount.bind = true;
  for (const auto& option : options)
    apply_option(option, mount);
}

}  // namespace trine::isolation
