#include "http.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxHeaders = 256 << 10;
constexpr long kConnectSeconds = 15;
constexpr long kMaxRedirects = 5;
constexpr long kBufferBytes = 256 << 10;
constexpr const char* kAuthorities = "/etc/ssl/certs";

struct FreeList {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { ::curl_easy_cleanup(easy); }
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

HttpFailure classify(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpFailure::kNone;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::kConnect;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return HttpFailure::kTls;
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return HttpFailure::kRedirects;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return HttpFailure::kBroken;
    default:
      return HttpFailure::kOther;
  }
}

/// curl reads http_proxy only in small letters, for a CGI's sake; what is set in capitals is meant as well.
std::string proxy_of(const std::string& url) {
  if (!url.starts_with("http:") || std::getenv("http_proxy") != nullptr)
    return {};
  const char* proxy = std::getenv("HTTP_PROXY");
  return proxy == nullptr ? "" : proxy;
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

/// The library's global state, once a process.
struct Transfers::Global {
  Global() { ::curl_global_init(CURL_GLOBAL_DEFAULT); }
};

struct Transfers::Transfer {
  HttpRequest request;
  HttpResponse response;
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> headers;
  std::array<char, CURL_ERROR_SIZE> error{};
  std::size_t header_bytes = 0;
  std::size_t body_sent = 0;
  bool begun = false;
  bool paused = false;
  RateLimit* limit = nullptr;

  void set_up();
  void set_body();
  void take_header(std::string_view line);
  void take_body(std::span<const char> bytes);
  HttpResponse finish(CURLcode code);

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_read(char* into, std::size_t, std::size_t size, void* self);
  template <typename Work>
  std::size_t guarded(std::size_t size, std::size_t on_failure, Work work);
  /// Whether the limited rate lets a byte pass now; if not, the transfer is to pause.
  [[nodiscard]] bool may_move() {
    paused = limit->wait_ms() > 0;
    return !paused;
  }
  [[nodiscard]] bool is_success() const { return response.status >= 200 && response.status < 300; }
};

/// No exception may pass through the library's frames.
template <typename Work>
std::size_t Transfers::Transfer::guarded(std::size_t size, std::size_t on_failure, Work work) {
  try {
    work();
    return size;
  } catch (...) {
    response.thrown = std::current_exception();
    response.failure = HttpFailure::kSink;
    return on_failure;
  }
}

std::size_t Transfers::Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  return transfer.guarded(size, 0, [&] { transfer.take_header({data, size}); });
}

std::size_t Transfers::Transfer::on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.may_move())
    return CURL_WRITEFUNC_PAUSE;
  transfer.limit->count(size);
  const std::size_t taken = transfer.guarded(size, 0, [&] { transfer.take_body({data, size}); });
  return transfer.response.failure == HttpFailure::kNone ? taken : 0;
}

std::size_t Transfers::Transfer::on_read(char* into, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.may_move())
    return CURL_READFUNC_PAUSE;
  std::size_t got = 0;
  const std::size_t end = transfer.guarded(0, CURL_READFUNC_ABORT, [&] {
    if (transfer.request.upload != nullptr) {
      got = transfer.request.upload->read({into, size});
      return;
    }
    const std::string& body = transfer.request.body;
    got = std::min(size, body.size() - transfer.body_sent);
    std::memcpy(into, body.data() + transfer.body_sent, got);
    transfer.body_sent += got;
  });
  transfer.limit->count(got);
  return end == CURL_READFUNC_ABORT ? end : got;
}

void Transfers::Transfer::take_header(std::string_view line) {
  header_bytes += line.size();
  if (header_bytes > kMaxHeaders)
    throw base::Error("the answer has more than 256 KiB of headers");
  if (line.starts_with("HTTP/")) {  // a new answer: behind a redirect, or behind "100 Continue"
    response.headers.clear();
    const auto blank = line.find(' ');
    const auto number =
        base::parse_unsigned(blank == std::string_view::npos ? "" : line.substr(blank + 1, 3));
    response.status = static_cast<int>(number.value_or(0));
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return;
  std::string& value = response.headers[lower(base::trim(line.substr(0, colon)))];
  value += (value.empty() ? "" : ", ") + std::string(base::trim(line.substr(colon + 1)));
}

void Transfers::Transfer::take_body(std::span<const char> bytes) {
  response.received += bytes.size();
  if (request.sink != nullptr && is_success()) {
    if (!begun)
      request.sink->begin(response);
    begun = true;
    request.sink->take(bytes);
    return;
  }
  if (response.body.size() + bytes.size() > request.body_limit) {
    response.failure = HttpFailure::kTooLarge;
    response.failure_text = "the answer is larger than " + std::to_string(request.body_limit) + " bytes";
    return;
  }
  response.body.append(bytes.data(), bytes.size());
}

void Transfers::Transfer::set_body() {
  CURL* handle = easy.get();
  const bool has_body = request.upload != nullptr || request.method == "POST" || request.method == "PUT" ||
                        request.method == "PATCH";
  if (request.method == "HEAD")
    ::curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  if (has_body) {
    const std::uint64_t size = request.upload != nullptr ? request.upload_size : request.body.size();
    ::curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    ::curl_easy_setopt(handle, CURLOPT_READFUNCTION, &Transfer::on_read);
    ::curl_easy_setopt(handle, CURLOPT_READDATA, this);
    ::curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    ::curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  }
  if (request.method != "GET" && request.method != "HEAD")
    ::curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.range.empty())
    ::curl_easy_setopt(handle, CURLOPT_RANGE, request.range.c_str());
}

void Transfers::Transfer::set_up() {
  CURL* handle = easy.get();
  const auto set = [handle](auto option, auto value) { ::curl_easy_setopt(handle, option, value); };
  curl_slist* list = ::curl_slist_append(nullptr, "Expect:");
  for (const auto& header : request.headers)
    list = ::curl_slist_append(list, header.c_str());
  headers.reset(list);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTPHEADER, list);
  set(CURLOPT_USERAGENT, "trine/" TRINE_VERSION);
  set(CURLOPT_ERRORBUFFER, error.data());
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_BUFFERSIZE, kBufferBytes);
  set(CURLOPT_CONNECTTIMEOUT, std::min(kConnectSeconds, static_cast<long>(request.host.stall_seconds)));
  set(CURLOPT_LOW_SPEED_LIMIT, kStallRate);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.host.stall_seconds));
  // An Authorization header that we set goes to the first host only; curl sees to that.
  set(CURLOPT_FOLLOWLOCATION, request.follow ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, kMaxRedirects);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, request.host.plain ? "http,https" : "https");
  if (request.host.direct)
    set(CURLOPT_NOPROXY, "*");
  const std::string proxy = proxy_of(request.url);
  if (!proxy.empty())
    set(CURLOPT_PROXY, proxy.c_str());
  if (!request.host.verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!request.host.authorities.empty()) {
    curl_blob blob{.data = request.host.authorities.data(),
                   .len = request.host.authorities.size(),
                   .flags = CURL_BLOB_COPY};
    set(CURLOPT_CAINFO_BLOB, &blob);
  } else if (::access(kAuthorities, R_OK) == 0) {
    // The directory is looked into when a certificate is needed; the bundle would be parsed every time.
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_CAPATH, kAuthorities);
  if (!request.host.client_certificate.empty()) {
    set(CURLOPT_SSLCERT, request.host.client_certificate.c_str());
    set(CURLOPT_SSLKEY, request.host.client_key.c_str());
  }
  set_body();
}

HttpResponse Transfers::Transfer::finish(CURLcode code) {
  curl_off_t seconds = 0;
  if (::curl_easy_getinfo(easy.get(), CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0)
    response.retry_after = static_cast<std::uint64_t>(seconds);
  if (response.failure == HttpFailure::kNone && code != CURLE_OK) {
    response.failure = classify(code);
    if (code == CURLE_UNSUPPORTED_PROTOCOL && response.status == 0)
      response.failure = HttpFailure::kOther;  // what answered does not speak HTTP
    response.failure_text = error[0] != '\0' ? error.data() : ::curl_easy_strerror(code);
  }
  return std::move(response);
}

Transfers::Transfers() {
  static const Global global;
  multi_ = ::curl_multi_init();
  if (multi_ == nullptr)
    throw base::Error("cannot start the HTTP client");
}

Transfers::~Transfers() {
  while (!running_.empty())
    cancel(running_.begin()->first);
  ::curl_multi_cleanup(multi_);
}

Transfers::Id Transfers::start(HttpRequest request) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->limit = &limit_;
  transfer->easy.reset(::curl_easy_init());
  if (transfer->easy == nullptr)
    throw base::Error("cannot start an HTTP request");
  transfer->set_up();
  if (const CURLMcode code = ::curl_multi_add_handle(multi_, transfer->easy.get()); code != CURLM_OK)
    throw base::Error(std::string("cannot start an HTTP request: ") + ::curl_multi_strerror(code));
  const Id id = next_++;
  running_[id] = std::move(transfer);
  return id;
}

void Transfers::cancel(Id id) {
  const auto found = running_.find(id);
  if (found != running_.end()) {
    ::curl_multi_remove_handle(multi_, found->second->easy.get());
    running_.erase(found);
  }
  std::erase_if(finished_, [id](const auto& entry) { return entry.first == id; });
}

void Transfers::limit_rate(std::uint64_t bytes_a_second) {
  limit_ = RateLimit(bytes_a_second);
}

/// Lets those go on that the rate stopped, when it does no more. The time to wait for that, `timeout_ms` at
/// most.
int Transfers::resume_paused(int timeout_ms) {
  const int wait_ms = limit_.wait_ms();
  if (wait_ms > 0)
    return std::min(wait_ms, timeout_ms);
  for (const auto& [id, transfer] : running_) {
    if (std::exchange(transfer->paused, false))
      ::curl_easy_pause(transfer->easy.get(), CURLPAUSE_CONT);
  }
  return timeout_ms;
}

void Transfers::pump(int timeout_ms) {
  int active = 0;
  timeout_ms = resume_paused(timeout_ms);
  CURLMcode code = ::curl_multi_perform(multi_, &active);
  const auto collect = [this] {
    int left = 0;
    bool any = false;
    while (const CURLMsg* message = ::curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      const CURL* easy = message->easy_handle;
      const CURLcode result = message->data.result;
      const auto found = std::ranges::find_if(
          running_, [easy](const auto& entry) { return entry.second->easy.get() == easy; });
      if (found == running_.end())
        continue;
      ::curl_multi_remove_handle(multi_, found->second->easy.get());
      finished_.emplace_back(found->first, found->second->finish(result));
      running_.erase(found);
      any = true;
    }
    return any;
  };
  if (!collect() && code == CURLM_OK && timeout_ms > 0) {
    code = ::curl_multi_poll(multi_, nullptr, 0, timeout_ms, nullptr);
    if (code == CURLM_OK)
      code = ::curl_multi_perform(multi_, &active);
    collect();
  }
  if (code != CURLM_OK)
    throw base::Error(std::string("the HTTP client failed: ") + ::curl_multi_strerror(code));
}

std::optional<std::pair<Transfers::Id, HttpResponse>> Transfers::wait(int timeout_ms) {
  if (finished_.empty())
    pump(timeout_ms);
  if (finished_.empty())
    return std::nullopt;
  auto result = std::move(finished_.front());
  finished_.pop_front();
  return result;
}

HttpResponse Transfers::perform(HttpRequest request) {
  constexpr int kTick = 1000;
  const Id id = start(std::move(request));
  for (;;) {
    const auto found = std::ranges::find_if(finished_, [id](const auto& entry) { return entry.first == id; });
    if (found != finished_.end()) {
      HttpResponse response = std::move(found->second);
      finished_.erase(found);
      return response;
    }
    pump(kTick);
  }
}

void Transfers::wake() {
  ::curl_multi_wakeup(multi_);
}

std::string url_escape(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kSafe = "-._~";
  std::string result;
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alphanumeric || kSafe.find(c) != std::string_view::npos) {
      result += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return result;
}

}  // namespace trine::images
