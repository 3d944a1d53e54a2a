#include "registries.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "toml.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kOfficial = "library/";
constexpr const char* kSystemFile = "/etc/containers/registries.conf";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string main_file() {
  if (auto file = environment("CONTAINERS_REGISTRIES_CONF"); !file.empty())
    return file;
  const std::string home = environment("HOME");
  std::string config = environment("XDG_CONFIG_HOME");
  if (config.empty() && !home.empty())
    config = home + "/.config";
  const std::string own = config + "/containers/registries.conf";
  return !config.empty() && ::access(own.c_str(), R_OK) == 0 ? own : kSystemFile;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> drop_ins(const std::string& directory) {
  std::vector<std::string> files;
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name.ends_with(".conf"))
      files.push_back(directory + "/" + name);
  }
  std::ranges::sort(files);
  return files;
}

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw base::Error(file + ": " + what, 0, "registries.conf(5) shows how the file is written");
}

std::string text(const Json& table, const char* key, const std::string& file) {
  const auto found = table.find(key);
  if (found == table.end())
    return {};
  if (!found->is_string())
    refuse(file, std::string("'") + key + "' is no text");
  return found->get<std::string>();
}

bool flag(const Json& table, const char* key, const std::string& file) {
  const auto found = table.find(key);
  if (found == table.end())
    return false;
  if (!found->is_boolean())
    refuse(file, std::string("'") + key + "' is neither true nor false");
  return found->get<bool>();
}

const Json& list(const Json& table, const char* key, const std::string& file) {
  static const Json kEmpty = Json::array();
  const auto found = table.find(key);
  if (found == table.end())
    return kEmpty;
  if (!found->is_array())
    refuse(file, std::string("'") + key + "' is no list");
  return *found;
}

/// How much of `name` ("quay.io/team/web") the prefix covers, 0 when it is another's: "quay.io/te" is no
/// prefix of it, "*.io" is.
std::size_t covered(const std::string& prefix, const std::string& name) {
  if (prefix.starts_with("*.")) {
    const auto slash = std::min(name.find('/'), name.size());
    const std::string host = name.substr(0, slash);
    return host.ends_with(prefix.substr(1)) && host.size() >= prefix.size() ? slash : 0;
  }
  const bool whole_parts =
      name.size() == prefix.size() || (name.size() > prefix.size() && name[prefix.size()] == '/');
  return name.starts_with(prefix) && whole_parts ? prefix.size() : 0;
}

/// What a user typed of a short name: without the tag, and without what the short-name rule added.
std::string typed(const Reference& reference) {
  const std::string& whole = reference.repository;
  const bool official =
      whole.starts_with(kOfficial) && whole.find('/', kOfficial.size()) == std::string::npos;
  return official ? whole.substr(kOfficial.size()) : whole;
}

Reference moved(const Reference& reference, const std::string& name) {
  Reference result = parse_reference(name);
  result.tag = reference.tag;
  result.digest = reference.digest;
  result.short_name = false;
  return result;
}

}  // namespace

Registries Registries::load() {
  Registries registries;
  const std::string first = main_file();
  std::vector<std::string> files{first};
  for (const auto& file : drop_ins(first + ".d"))
    files.push_back(file);
  for (const auto& file : files) {
    if (::access(file.c_str(), F_OK) == 0)
      registries.add(base::read_file(file), file);
  }
  return registries;
}

void Registries::add(std::string_view content, const std::string& file) {
  const Json root = parse_toml(content, file);
  if (root.contains("unqualified-search-registries")) {
    search_.clear();
    for (const auto& host : list(root, "unqualified-search-registries", file)) {
      if (!host.is_string())
        refuse(file, "unqualified-search-registries has what is no text");
      search_.push_back(host.get<std::string>());
    }
  }
  if (const auto aliases = root.find("aliases"); aliases != root.end() && aliases->is_object()) {
    for (const auto& [name, value] : aliases->items()) {
      if (!value.is_string())
        refuse(file, "the alias '" + name + "' is no text");
      aliases_[name] = value.get<std::string>();
    }
  }
  for (const auto& table : list(root, "registry", file)) {
    Registry registry{.location = text(table, "location", file),
                      .insecure = flag(table, "insecure", file),
                      .blocked = flag(table, "blocked", file)};
    std::string prefix = text(table, "prefix", file);
    if (prefix.empty())
      prefix = registry.location;
    if (prefix.empty())
      refuse(file, "a [[registry]] has neither prefix nor location");
    if (registry.location.empty() && !prefix.starts_with("*."))
      registry.location = prefix;
    const bool digest_only = flag(table, "mirror-by-digest-only", file);
    for (const auto& mirror : list(table, "mirror", file))
      registry.mirrors.push_back(read_mirror(mirror, digest_only, file));
    registries_[prefix] = std::move(registry);
  }
}

Registries::Mirror Registries::read_mirror(const Json& table, bool digest_only, const std::string& file) {
  Mirror mirror{.location = text(table, "location", file),
                .insecure = flag(table, "insecure", file),
                .pulls = digest_only ? Selectors::kDigest : Selectors::kAll};
  if (mirror.location.empty())
    refuse(file, "a [[registry.mirror]] has no location");
  const std::string pulls = text(table, "pull-from-mirror", file);
  constexpr std::array<std::string_view, 4> kWords{"", "all", "digest-only", "tag-only"};
  const auto found = std::ranges::find(kWords, pulls);
  if (found == kWords.end())
    refuse(file, "pull-from-mirror '" + pulls + "' is none of all, digest-only and tag-only");
  if (pulls == "digest-only")
    mirror.pulls = Selectors::kDigest;
  if (pulls == "tag-only")
    mirror.pulls = Selectors::kTag;
  return mirror;
}

bool Registries::is_insecure(const std::string& host) const {
  const auto found = registries_.find(host);
  return found != registries_.end() && found->second.insecure;
}

std::vector<Reference> Registries::candidates(const Reference& reference) const {
  if (!reference.short_name)
    return {reference};
  const std::string name = typed(reference);
  // An empty alias takes away what an earlier file gave.
  if (const auto alias = aliases_.find(name); alias != aliases_.end() && !alias->second.empty())
    return {moved(reference, alias->second)};
  if (search_.empty())
    return {reference};
  std::vector<Reference> result;
  result.reserve(search_.size());
  for (const auto& host : search_)
    result.push_back(moved(reference, host + "/" + name));
  return result;
}

std::vector<Source> Registries::sources(const Reference& reference) const {
  const std::string name = reference.domain + "/" + reference.repository;
  const std::pair<const std::string, Registry>* best = nullptr;
  for (const auto& entry : registries_) {
    // A name written out is nearer than a wildcard, and the longer the nearer.
    const auto rank = [](const std::string& prefix) {
      return std::pair(!prefix.starts_with("*."), prefix.size());
    };
    if (covered(entry.first, name) > 0 && (best == nullptr || rank(entry.first) > rank(best->first)))
      best = &entry;
  }
  if (best == nullptr)
    return {{.host = reference.domain, .repository = reference.repository}};
  const Registry& registry = best->second;
  if (registry.blocked) {
    throw base::Error("cannot pull " + reference.full() + ": the registry " + best->first + " is blocked", 0,
                      "registries.conf has 'blocked = true' for it");
  }
  const std::string rest = name.substr(covered(best->first, name));
  const auto place = [&](const std::string& location, bool insecure, bool is_mirror) {
    const Reference there = parse_reference(location.empty() ? name : location + rest);
    return Source{
        .host = there.domain, .repository = there.repository, .insecure = insecure, .is_mirror = is_mirror};
  };
  std::vector<Source> result;
  for (const auto& mirror : registry.mirrors) {
    const auto refused = reference.digest.empty() ? Selectors::kDigest : Selectors::kTag;
    if (mirror.pulls != refused)
      result.push_back(place(mirror.location, mirror.insecure, true));
  }
  result.push_back(place(registry.location, registry.insecure, false));
  return result;
}

}  // namespace trine::images
