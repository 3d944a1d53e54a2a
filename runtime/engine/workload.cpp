#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "images/name.h"
#include "images/reference.h"
#include "images/signers.h"
#include "isolation/capabilities.h"
#include "runtime/engine/class_choice.h"
#include "runtime/engine/image_source.h"
#include "stored_names.h"

namespace trine::runtime::engine {
namespace {

constexpr std::string_view kBundle = "bundle:";

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};

/// Absolute and without symlinks; empty when there is no such file.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, FreeText> whole(::realpath(path.c_str(), nullptr));
  return whole ? whole.get() : "";
}

/// "oci:./web:1" -> {"oci:/srv/web:1", "oci:/srv/web"}. As it is, when nothing is there.
std::vector<std::string> source_names(const std::string& image) {
  const auto scheme = image.find(':') + 1;
  const std::string prefix = image.substr(0, scheme);
  const std::string rest = image.substr(scheme);
  if (const std::string whole = real_path(rest); !whole.empty())
    return {prefix + whole};
  const auto colon = rest.rfind(':');
  const std::string path = colon == std::string::npos ? "" : real_path(rest.substr(0, colon));
  if (path.empty())
    return {image};
  return {prefix + path + rest.substr(colon), prefix + path};
}

std::vector<std::string> full_names(const std::string& asked, const images::Store& store,
                                    const images::Image* image) {
  if (is_transport(asked) || asked.starts_with(kBundle))
    return source_names(asked);
  const std::string name = without_docker(asked);
  std::vector<std::string> names;
  if (image == nullptr) {
    if (images::is_name(name))
      names.push_back(images::parse_reference(name).full());
    return names;
  }
  for (const images::Reference& reference : images::stored_names(store, *image, name))
    names.push_back(reference.full());
  return names;
}

/// A kind of privilege, and whether the flags ask for it.
struct Privilege {
  std::string_view name;
  bool (*is_asked)(const RunOptions&);
};

/// ns:/PATH may be anybody's.
bool is_named(const RunOptions& options) {
  return options.network == NetworkMode::kNamespace;
}

bool has_bind(const RunOptions& options) {
  return std::ranges::any_of(options.mounts,
                             [](const VolumeMount& mount) { return mount.kind == VolumeMount::Kind::kBind; });
}

constexpr std::array kAsked{
    Privilege{"privileged", [](const RunOptions& o) { return o.privileged; }},
    Privilege{"capability", [](const RunOptions& o) { return o.privileged || !o.cap_add.empty(); }},
    Privilege{"host-network",
              [](const RunOptions& o) { return is_named(o) || o.network == NetworkMode::kHost; }},
    Privilege{"container-network",
              [](const RunOptions& o) { return is_named(o) || o.network == NetworkMode::kContainer; }},
    Privilege{"bind", has_bind},
    Privilege{"device", [](const RunOptions& o) { return o.privileged || !o.devices.empty(); }},
    Privilege{"seccomp",
              [](const RunOptions& o) {
                return o.privileged || o.security.seccomp_unconfined || !o.security.seccomp_file.empty();
              }},
    Privilege{"sysctl", [](const RunOptions& o) { return !o.sysctls.empty(); }},
};
static_assert(kAsked.size() == std::size(policy::kPrivileges));

std::vector<std::string> privileges_of(const RunOptions& options) {
  constexpr std::string_view kPrefix = "CAP_";
  std::vector<std::string> asked;
  for (const Privilege& privilege : kAsked) {
    if (privilege.is_asked(options))
      asked.emplace_back(privilege.name);
  }
  if (options.privileged)
    asked.emplace_back("capability:ALL");
  for (const std::string& text : options.cap_add) {
    const auto number = isolation::parse_capability(text);
    asked.push_back("capability:" +
                    std::string(number ? isolation::capability_name(*number).substr(kPrefix.size()) : "ALL"));
  }
  return asked;
}

}  // namespace

policy::Workload describe_workload(const RunOptions& options, const PolicyContext& context,
                                   const images::Store& store, const images::Image* image) {
  policy::Workload workload{.asked = options.image,
                            .images = full_names(options.image, store, image),
                            .user_id = context.user_id,
                            .user = context.user,
                            .privileges = privileges_of(options),
                            .any_privilege = options.image.starts_with(kBundle)};
  if (image != nullptr) {
    workload.digest = image->digest;
    workload.signers = images::signers_of(store.root(), image->digest);
    workload.labels = image->config.labels;
  }
  for (const auto& [key, value] : options.labels)
    workload.labels[key] = value;
  return workload;
}

}  // namespace trine::runtime::engine
