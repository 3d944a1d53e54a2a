#pragma once

#include <string>
#include <string_view>

/// What a user calls an image. Docker's grammar and short-name rule: "alpine" is
/// docker.io/library/alpine:latest. Source: the grammar in github.com/distribution/reference, OCI
/// distribution-spec 1.1 "Pulling manifests".
namespace trine::images {

struct Reference {
  std::string domain;       ///< "docker.io", "host:5000", "[::1]:5000"
  std::string repository;   ///< "library/alpine"
  std::string tag;          ///< "latest"; empty when there is a digest and no tag was given
  std::string digest;       ///< "sha256:…", checked, or empty
  bool short_name = false;  ///< it had no domain: docker.io is a guess that a configuration may replace

  /// What stands behind /manifests/ in a request: the digest where there is one, else the tag.
  [[nodiscard]] const std::string& selector() const { return digest.empty() ? tag : digest; }
  /// "docker.io/library/alpine:latest"
  [[nodiscard]] std::string full() const;
  /// As the store has it, and as docker prints it: "alpine:latest", "quay.io/team/web:2".
  [[nodiscard]] std::string familiar() const;
};

/// Throws Error that names the part which is wrong. At most 255 characters of domain and repository.
Reference parse_reference(std::string_view text);

/// Whether `host` ("localhost:5000", "127.0.0.2", "[::1]:80") is this machine by its name alone.
bool is_loopback(std::string_view host);

}  // namespace trine::images
