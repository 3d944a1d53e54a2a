#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "rate_limit.h"

/// HTTP as a registry's client needs it, on libcurl's multi interface: many transfers, one thread.
namespace trine::images {

struct HttpResponse;

/// Takes the body of an answer as it comes. What it throws ends the transfer and is kept in `thrown`.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// Before the first byte of an answer with a status of 200 to 299.
  virtual void begin(const HttpResponse& head) = 0;
  virtual void take(std::span<const char> bytes) = 0;
};

/// How to speak to one host.
struct HttpHost {
  bool verify = true;                          ///< its certificate
  std::string authorities;                     ///< PEM: certificates to trust beside the system's
  std::string client_certificate, client_key;  ///< files, or empty
  bool plain = false;                          ///< redirects may lead to plain HTTP
  bool direct = false;                         ///< never by a proxy
  unsigned stall_seconds = 30;  ///< a connection that brings less than kStallRate for so long is given up
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  ///< "Accept: text/plain"
  std::string range;                 ///< "0-99", or empty
  std::string body;                  ///< of POST, PUT and PATCH
  ByteSource* upload = nullptr;      ///< in place of `body`
  std::uint64_t upload_size = 0;
  std::size_t body_limit = 4 << 20;  ///< bytes of an answer without a sink; more is a failure
  BodySink* sink = nullptr;
  bool follow = true;  ///< redirects, five of them; credentials never go to another host
  HttpHost host;
};

/// Why there is no answer.
enum class HttpFailure {
  kNone,
  kConnect,    ///< no connection: nobody there, or no such name
  kTls,        ///< no agreement on TLS, or a certificate that does not hold
  kBroken,     ///< the connection ended or stalled in the middle
  kRedirects,  ///< in circles, or to where they may not lead
  kTooLarge,   ///< more than body_limit
  kSink,       ///< the sink threw: `thrown`
  kOther,
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< of the last answer, names in lower case; repeated ones
                                               ///< are joined by ", "
  std::string body;                            ///< without a sink, or with a status outside 200 to 299
  std::uint64_t received = 0;                  ///< bytes of the body
  std::uint64_t retry_after = 0;               ///< seconds, 0 when the server does not say
  HttpFailure failure = HttpFailure::kNone;
  std::string failure_text;
  std::exception_ptr thrown;

  [[nodiscard]] bool ok() const { return failure == HttpFailure::kNone && status >= 200 && status < 300; }
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// Transfers at the same time. For one thread, but wake() may be called by any.
class Transfers {
 public:
  using Id = std::uint64_t;
  static constexpr long kStallRate = 100;  ///< bytes a second

  Transfers();
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// `request.sink` and `request.upload` must live until it has finished or is cancelled.
  Id start(HttpRequest request);
  void cancel(Id id);
  /// One that has finished; waits `timeout_ms` for it at most.
  std::optional<std::pair<Id, HttpResponse>> wait(int timeout_ms);
  /// One request to its end, while the others go on.
  HttpResponse perform(HttpRequest request);
  void wake();
  /// All transfers together are to move no more than so many bytes a second from now on; 0: no limit.
  void limit_rate(std::uint64_t bytes_a_second);

 private:
  struct Transfer;
  struct Global;
  void pump(int timeout_ms);
  [[nodiscard]] int resume_paused(int timeout_ms);

  void* multi_;
  Id next_ = 1;
  std::map<Id, std::unique_ptr<Transfer>> running_;
  std::deque<std::pair<Id, HttpResponse>> finished_;
  RateLimit limit_;
};

/// Escapes what is no letter, digit or one of "-._~".
std::string url_escape(std::string_view text);

}  // namespace trine::images
