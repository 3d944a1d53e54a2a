#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "credentials.h"
#include "http.h"
#include "reference/registries.h"

namespace trine::images {

/// What the user says about all requests.
struct ClientOptions {
  std::string auth_file;
  std::string certificates;     ///< a directory, in place of certs.d
  bool verify = true;           ///< false: unverified TLS and plain HTTP, whatever the host
  unsigned retries = 3;         ///< of one request that fails in a way which may pass
  unsigned stall_seconds = 30;  ///< see HttpHost
  std::uint64_t rate = 0;       ///< bytes a second of all transfers together; 0: no limit
  unsigned streams = 0;         ///< downloads at the same time; 0: what is best
};

/// How often one request has been tried.
struct Attempts {
  unsigned failures = 0;
  unsigned challenges = 0;
  unsigned generation = 0;  ///< the authorization it was sent with
};

/// A repository on one registry: adds what every request needs, and judges the answers.
/// Source: OCI distribution-spec 1.1; the distribution project's "Token Authentication Specification".
class Endpoint {
 public:
  enum class Access { kPull, kPush, kNone };

  Endpoint(Transfers& transfers, const Source& source, const ClientOptions& options, Access access);

  /// A request for `path` below the repository ("/manifests/latest"), or for a whole URL of this registry.
  HttpRequest request(const std::string& method, const std::string& path, Attempts& attempts) const;

  struct Verdict {
    bool retry = false;
    unsigned delay_ms = 0;
  };
  /// What to do about an answer: nothing, it is for the caller (any status below 400 and 404, 405, 416); or
  /// try again. Answers a challenge. Throws Error when trying again is of no use. `what` is for messages:
  /// "the manifest of web:1".
  Verdict judge(const HttpResponse& response, Attempts& attempts, const std::string& what);

  /// One request until judge() is content. `change` alters each attempt's request.
  HttpResponse perform(const std::string& method, const std::string& path, const std::string& what,
                       const std::function<void(HttpRequest&)>& change = {});

  /// Asks /v2/ who we are: throws Error when the credentials are refused.
  void ping();
  /// In place of what the files say.
  void use_credentials(Credentials credentials);
  /// The token is to cover reading another repository too, for mounts.
  void also_pull(const std::string& repository);

  /// An address that the registry gave (Location), made whole. Throws Error when it leads to plain HTTP.
  [[nodiscard]] std::string resolve(const std::string& location) const;

  [[nodiscard]] const Source& source() const { return source_; }
  /// How many downloads there may be at the same time.
  [[nodiscard]] unsigned streams() const;

 private:
  [[nodiscard]] std::string base_url() const;
  [[nodiscard]] bool next_scheme(const HttpResponse& response);
  void authorize(const HttpResponse& response, const std::string& what);
  std::string fetch_token(const std::string& realm, const std::string& service, const std::string& what);
  [[nodiscard]] const std::optional<Credentials>& credentials();
  [[noreturn]] void refuse(const HttpResponse& response, const std::string& what);

  Transfers& transfers_;
  Source source_;
  std::string host_;  ///< where requests go: Docker's registry has another name than its images
  ClientOptions options_;
  HttpHost settings_;
  std::vector<std::string> schemes_;           ///< still to be tried, the current one first
  bool settled_ = false;                       ///< a server has answered in this scheme
  std::optional<HttpResponse> first_failure_;  ///< of a scheme that was given up
  std::vector<std::string> scopes_;
  std::string authorization_;
  unsigned generation_ = 0;
  bool credentials_known_ = false;
  std::optional<Credentials> credentials_;
};

/// Sleeps, or is woken up by a signal that ends the process.
void pause_for(unsigned milliseconds);

}  // namespace trine::images
