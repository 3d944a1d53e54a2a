#pragma once

#include <optional>
#include <string>
#include <vector>

namespace trine::images {

struct Credentials {
  std::string user, password;
  std::string identity_token;  ///< in place of the two
};

/// The files in which docker, podman and skopeo keep credentials, and the programs that keep them for those.
/// Source: containers-auth.json(5), docker-login(1).
class AuthFiles {
 public:
  /// `file`: the only one; empty: $REGISTRY_AUTH_FILE, or $XDG_RUNTIME_DIR/containers/auth.json (root:
  /// /run/containers/0/auth.json), ~/.config/containers/auth.json and ~/.docker/config.json ($DOCKER_CONFIG).
  explicit AuthFiles(const std::string& file);

  /// For `repository` ("team/web", or empty) of `host`: in each file "host/team/web" before "host/team"
  /// before "host". Nothing when there are none. Throws Error for a damaged file or a helper that fails.
  [[nodiscard]] std::optional<Credentials> find(const std::string& host, const std::string& repository) const;

  /// Keeps them for `host` in the first file, or by its helper.
  void store(const std::string& host, const Credentials& credentials) const;
  /// Whether there were any.
  bool erase(const std::string& host) const;

  /// Where store() writes.
  [[nodiscard]] const std::string& writable() const { return files_.front(); }

 private:
  std::vector<std::string> files_;
};

}  // namespace trine::images
