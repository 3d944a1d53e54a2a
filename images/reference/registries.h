#pragma once

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "images/reference.h"

/// Where an image may be fetched from, as the machine's administrator says.
/// Source: containers-registries.conf(5), version 2.
namespace trine::images {

/// One place that has, or may have, an image's repository.
struct Source {
  std::string host;        ///< "mirror.example:5000"
  std::string repository;  ///< as it is called there
  bool insecure = false;   ///< plain HTTP and unverified TLS are allowed
  bool is_mirror = false;  ///< what it says is missing may be elsewhere
};

class Registries {
 public:
  /// $CONTAINERS_REGISTRIES_CONF, else the user's registries.conf, else /etc/containers/registries.conf; then
  /// the drop-ins beside the latter. Missing files are none. Throws Error naming file and line.
  static Registries load();

  /// Adds what one file says; what a later file says of the same thing holds.
  void add(std::string_view text, const std::string& file);

  /// What `reference` may stand for, in order: itself when it has a host; by an alias; else in the registries
  /// to be searched, or Docker's.
  [[nodiscard]] std::vector<Reference> candidates(const Reference& reference) const;

  /// Mirrors first, the registry itself last. Throws Error when it is blocked.
  [[nodiscard]] std::vector<Source> sources(const Reference& reference) const;

  /// Whether a [[registry]] says so of the whole host.
  [[nodiscard]] bool is_insecure(const std::string& host) const;

 private:
  enum class Selectors { kAll, kDigest, kTag };
  struct Mirror {
    std::string location;
    bool insecure = false;
    Selectors pulls = Selectors::kAll;
  };
  struct Registry {
    std::string location;
    bool insecure = false;
    bool blocked = false;
    std::vector<Mirror> mirrors;
  };
  static Mirror read_mirror(const nlohmann::json& table, bool digest_only, const std::string& file);

  std::vector<std::string> search_;
  std::map<std::string, std::string> aliases_;
  std::map<std::string, Registry> registries_;  ///< by prefix
};

}  // namespace trine::images
