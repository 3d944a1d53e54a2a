#include "endpoint.h"

#include <curl/curl.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "base/text.h"
#include "certificates.h"
#include "challenge.h"
#include "document.h"

namespace trine::images {
namespace {

constexpr unsigned kMaxChallenges = 2;
constexpr unsigned kFirstDelay = 500;
constexpr unsigned kMaxDelay = 30'000;
constexpr std::uint64_t kMaxRetryAfter = 60;  ///< seconds; whoever asks for more is told to the user
constexpr std::size_t kMaxToken = 1 << 20;

constexpr int kBadRequest = 400;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kTooMany = 429;

bool passes(int status) {
  constexpr std::array kTransient{408, 429, 500, 502, 503, 504};
  return std::ranges::find(kTransient, status) != kTransient.end();
}

bool is_callers(int status) {
  constexpr std::array kForCaller{404, 405, 416};
  return status < 400 || std::ranges::find(kForCaller, status) != kForCaller.end();
}

/// The registry's own words, if it has any: {"errors": [{"code": …, "message": …}]}.
std::string reason(const HttpResponse& response) {
  const auto json = nlohmann::json::parse(response.body.substr(0, 1 << 16), nullptr, false);
  if (!json.is_object() || !json.contains("errors") || !json["errors"].is_array() || json["errors"].empty())
    return {};
  const auto& first = json["errors"].front();
  std::string text;
  if (first.is_object() && first.contains("message") && first["message"].is_string())
    text = first["message"].get<std::string>().substr(0, 200);
  // It goes to a terminal.
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text.empty() ? "" : ": " + text;
}

std::string status_text(const HttpResponse& response) {
  return "HTTP status " + std::to_string(response.status) + reason(response);
}

/// What the server says, else twice as long each time. Many clients that failed together must not come back
/// together.
unsigned delay_before_retry(unsigned failures, const HttpResponse& response) {
  constexpr unsigned kSecond = 1000;
  constexpr unsigned kMaxDoublings = 6;
  if (response.retry_after > 0)
    return static_cast<unsigned>(response.retry_after) * kSecond;
  const unsigned doubled = std::min(kMaxDelay, kFirstDelay << std::min(failures, kMaxDoublings));
  const auto random = static_cast<unsigned>(std::stoul(base::random_hex(2), nullptr, 16));
  return doubled / 2 + random % doubled;
}

std::string form(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += (text.empty() ? "" : "&") + name + "=" + url_escape(value);
  return text;
}

}  // namespace

void pause_for(unsigned milliseconds) {
  constexpr unsigned kSecond = 1000;
  constexpr long kNanoseconds = 1'000'000;
  timespec left{.tv_sec = milliseconds / kSecond, .tv_nsec = milliseconds % kSecond * kNanoseconds};
  while (::nanosleep(&left, &left) != 0) {
  }
}

Endpoint::Endpoint(Transfers& transfers, const Source& source, const ClientOptions& options, Access access)
    : transfers_(transfers),
      source_(source),
      host_(source.host == "docker.io" ? "registry-1.docker.io" : source.host),
      options_(options) {
  const bool loopback = is_loopback(host_);
  const bool insecure = source.insecure || !options.verify;
  settings_.verify = !insecure;
  settings_.direct = loopback;
  settings_.stall_seconds = options.stall_seconds;
  if (loopback)  // plain HTTP is what listens there, and nobody is in between
    schemes_ = {"http", "https"};
  else if (insecure)
    schemes_ = {"https", "http"};
  else
    schemes_ = {"https"};
  settings_.plain = schemes_.size() > 1;
  transfers_.limit_rate(options.rate);
  add_certificates(settings_, host_, options.certificates);
  if (access != Access::kNone)
    scopes_.push_back("repository:" + source.repository + (access == Access::kPush ? ":pull,push" : ":pull"));
}

std::string Endpoint::base_url() const {
  return schemes_.front() + "://" + host_;
}

unsigned Endpoint::streams() const {
  constexpr unsigned kBest = 10;
  return options_.streams == 0 ? kBest : options_.streams;
}

HttpRequest Endpoint::request(const std::string& method, const std::string& path, Attempts& attempts) const {
  HttpRequest request;
  request.method = method;
  request.url = path.starts_with("http") ? path : base_url() + "/v2/" + source_.repository + path;
  request.host = settings_;
  // An address that leads elsewhere, as an upload's may, gets no credentials of this registry.
  if (!authorization_.empty() && request.url.starts_with(base_url() + "/"))
    request.headers.push_back("Authorization: " + authorization_);
  attempts.generation = generation_;
  return request;
}

bool Endpoint::next_scheme(const HttpResponse& response) {
  if (settled_ || schemes_.size() == 1)
    return false;
  // So says a server of TLS that hears plain HTTP; to HEAD it says no more than the number.
  const bool speaks_tls = schemes_.front() == "http" && response.status == kBadRequest &&
                          (response.body.empty() || response.body.find("HTTPS") != std::string::npos);
  const bool none = response.failure == HttpFailure::kConnect || response.failure == HttpFailure::kTls ||
                    response.failure == HttpFailure::kBroken || response.failure == HttpFailure::kOther;
  if (!none && !speaks_tls)
    return false;
  if (!speaks_tls)
    first_failure_ = response;
  schemes_.erase(schemes_.begin());
  return true;
}

Endpoint::Verdict Endpoint::judge(const HttpResponse& response, Attempts& attempts, const std::string& what) {
  if (response.failure == HttpFailure::kSink)
    std::rethrow_exception(response.thrown);
  if (next_scheme(response))
    return {.retry = true};
  settled_ = settled_ || response.failure == HttpFailure::kNone;
  if (response.failure == HttpFailure::kNone && is_callers(response.status))
    return {};
  if (response.status == kUnauthorized && response.failure == HttpFailure::kNone) {
    if (attempts.generation < generation_)  // another request has got a new token meanwhile
      return {.retry = true};
    if (++attempts.challenges > kMaxChallenges)
      refuse(response, what);
    authorize(response, what);
    return {.retry = true};
  }
  // A host that cannot be reached at all is down, or its name is wrong; one that could be is coming back.
  const bool may_pass = response.failure == HttpFailure::kNone ? passes(response.status)
                        : response.failure == HttpFailure::kConnect
                            ? settled_
                            : response.failure == HttpFailure::kBroken;
  if (!may_pass || attempts.failures >= options_.retries || response.retry_after > kMaxRetryAfter)
    refuse(response, what);
  return {.retry = true, .delay_ms = delay_before_retry(attempts.failures++, response)};
}

void Endpoint::refuse(const HttpResponse& response, const std::string& what) {
  // Of two schemes that both fail, the first is the one that was to be.
  const bool both_failed = response.failure != HttpFailure::kNone && !settled_ && first_failure_;
  if (both_failed && first_failure_->failure != response.failure)
    refuse(HttpResponse(*std::exchange(first_failure_, std::nullopt)), what);
  const std::string cannot = "cannot get " + what + " from " + source_.host + ": ";
  switch (response.failure) {
    case HttpFailure::kTls:
      throw base::Error(cannot + response.failure_text, 0,
                        "put the registry's CA as *.crt into /etc/containers/certs.d/" + host_ +
                            "/, or trust it blindly with --tls-verify=false");
    case HttpFailure::kRedirects:
      throw base::Error(cannot + "it redirects without end, or to where it may not (" +
                        response.failure_text + ")");
    case HttpFailure::kConnect:
      throw base::Error(cannot + response.failure_text, 0,
                        "is the name right, is the network up, is a proxy needed (https_proxy)?");
    case HttpFailure::kBroken:
      throw base::Error(cannot + response.failure_text, 0,
                        "what has come is kept: the next pull goes on from there");
    case HttpFailure::kTooLarge:
    case HttpFailure::kOther:
    case HttpFailure::kSink:
      throw base::Error(cannot + response.failure_text);
    case HttpFailure::kNone:
      break;
  }
  if (response.status == kUnauthorized || response.status == kForbidden) {
    const bool anonymous = !credentials_;
    throw base::Error(cannot + "access is denied (" + status_text(response) + ")", 0,
                      anonymous ? "if it is private: trine login " + source_.host
                                : "check the name and the account: trine login " + source_.host);
  }
  if (response.status == kTooMany) {
    throw base::Error(cannot + "it allows no more requests now (" + status_text(response) + ")", 0,
                      response.retry_after > 0
                          ? "it says to come back in " + std::to_string(response.retry_after) + " s"
                          : "come back later, or log in: accounts have higher limits");
  }
  throw base::Error(cannot + status_text(response));
}

HttpResponse Endpoint::perform(const std::string& method, const std::string& path, const std::string& what,
                               const std::function<void(HttpRequest&)>& change) {
  Attempts attempts;
  for (;;) {
    HttpRequest next = request(method, path, attempts);
    if (change)
      change(next);
    HttpResponse response = transfers_.perform(std::move(next));
    const Verdict verdict = judge(response, attempts, what);
    if (!verdict.retry)
      return response;
    pause_for(verdict.delay_ms);
  }
}

const std::optional<Credentials>& Endpoint::credentials() {
  if (!credentials_known_)
    credentials_ = AuthFiles(options_.auth_file).find(source_.host, source_.repository);
  credentials_known_ = true;
  return credentials_;
}

void Endpoint::use_credentials(Credentials credentials) {
  credentials_ = std::move(credentials);
  credentials_known_ = true;
}

void Endpoint::also_pull(const std::string& repository) {
  scopes_.push_back("repository:" + repository + ":pull");
  authorization_.clear();
}

void Endpoint::authorize(const HttpResponse& response, const std::string& what) {
  const auto challenges = parse_challenges(response.header("www-authenticate"));
  const auto find = [&](const char* scheme) {
    return std::ranges::find_if(challenges, [&](const Challenge& one) { return one.scheme == scheme; });
  };
  if (const auto bearer = find("bearer"); bearer != challenges.end()) {
    const auto value = [&](const char* name) {
      const auto found = bearer->values.find(name);
      return found == bearer->values.end() ? std::string() : found->second;
    };
    authorization_ = "Bearer " + fetch_token(value("realm"), value("service"), what);
  } else if (find("basic") != challenges.end()) {
    const auto& known = credentials();
    if (!known || known->user.empty())
      refuse(response, what);
    authorization_ = "Basic " + base64_encode(known->user + ":" + known->password);
  } else {
    refuse(response, what);
  }
  ++generation_;
}

std::string Endpoint::fetch_token(const std::string& realm, const std::string& service,
                                  const std::string& what) {
  const bool plain_allowed = schemes_.front() == "http" || settings_.plain;
  if (!realm.starts_with("https://") && !(plain_allowed && realm.starts_with("http://"))) {
    throw base::Error("cannot get " + what + " from " + source_.host + ": it sends us for a token to '" +
                      realm.substr(0, 200) + "', which is no https address");
  }
  const auto& known = credentials();
  HttpRequest request;
  request.host = settings_;
  request.host.client_certificate.clear();
  request.body_limit = kMaxToken;
  std::vector<std::pair<std::string, std::string>> fields;
  if (!service.empty())
    fields.emplace_back("service", service);
  if (known && !known->identity_token.empty()) {
    fields.insert(fields.end(), {{"grant_type", "refresh_token"},
                                 {"client_id", "trine"},
                                 {"refresh_token", known->identity_token},
                                 {"scope", scopes_.empty() ? "" : scopes_.front()}});
    request.method = "POST";
    request.url = realm;
    request.body = form(fields);
    request.headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
    // A redirect would carry the token along in the body.
    request.follow = false;
  } else {
    for (const auto& scope : scopes_)
      fields.emplace_back("scope", scope);
    const std::string query = form(fields);
    const char* joint = realm.find('?') == std::string::npos ? "?" : "&";
    request.url = realm + (query.empty() ? "" : joint + query);
    if (known)
      request.headers.push_back("Authorization: Basic " + base64_encode(known->user + ":" + known->password));
  }
  HttpResponse response = transfers_.perform(request);
  for (unsigned failures = 0; failures < options_.retries && response.retry_after <= kMaxRetryAfter;
       ++failures) {
    if (!passes(response.status) && response.failure != HttpFailure::kBroken)
      break;
    pause_for(delay_before_retry(failures, response));
    response = transfers_.perform(request);
  }
  if (!response.ok())
    refuse(response, "a token for " + what);
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  for (const char* name : {"token", "access_token"}) {
    if (!json.is_object() || !json.contains(name) || !json[name].is_string())
      continue;
    auto token = json[name].get<std::string>();
    // It becomes a header: whoever gives it out must not add others.
    if (!token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; }))
      return token;
  }
  throw base::Error("cannot get a token for " + what + " from " + source_.host + ": its answer has none");
}

void Endpoint::ping() {
  const HttpResponse response = perform("GET", base_url() + "/v2/", "an answer");
  if (!response.ok())
    refuse(response, "an answer");
}

std::string Endpoint::resolve(const std::string& location) const {
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url(::curl_url(), ::curl_url_cleanup);
  char* text = nullptr;
  const bool whole = url != nullptr &&
                     ::curl_url_set(url.get(), CURLUPART_URL, base_url().c_str(), 0) == CURLUE_OK &&
                     ::curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) == CURLUE_OK &&
                     ::curl_url_get(url.get(), CURLUPART_URL, &text, 0) == CURLUE_OK;
  const std::unique_ptr<char, decltype(&::curl_free)> owned(text, ::curl_free);
  const std::string result = whole ? text : "";
  if (!result.starts_with("https://") && !(settings_.plain && result.starts_with("http://")))
    throw base::Error(source_.host + " names the address '" + location.substr(0, 200) +
                      "', which cannot be used");
  return result;
}

}  // namespace trine::images
