#include "images/reference.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "images/name.h"
#include "layout.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxText = 1024;  ///< digest and tag included; what is longer is not even looked at
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTag = 128;
constexpr std::uint64_t kMaxPort = 65535;
constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kOfficial = "library/";

bool is_lower(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alphanumeric(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw base::Error("'" + std::string(name.substr(0, 80)) + "' is no name of an image: " + why, 0,
                    "a name is [HOST[:PORT]/]PATH[:TAG][@DIGEST], its path in lower case, as in "
                    "registry.example/web:1.2");
}

/// "web", "my-web", "a__b", "1.2": words of small letters and digits, between them '.', '_', "__" or any '-'.
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_lower(text.front()) || !is_lower(text.back()))
    return false;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    while (i < text.size() && !is_lower(text[i]))
      ++i;
    const std::string_view separator = text.substr(start, i - start);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__")
      return false;
    while (i < text.size() && is_lower(text[i]))
      ++i;
  }
  return true;
}

bool is_host_name(std::string_view text) {
  for (const auto& label : base::split(text, '.')) {
    const bool framed = !label.empty() && label.front() != '-' && label.back() != '-';
    if (!framed || !std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; }))
      return false;
  }
  return true;
}

/// What stands between the brackets of an IPv6 address; whether it is one is the resolver's to say.
bool is_address_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

void check_domain(std::string_view domain, std::string_view whole) {
  std::string_view host = domain;
  std::string_view port;
  const auto bracket = domain.find(']');
  const auto colon = domain.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = domain.substr(0, colon);
    port = domain.substr(colon + 1);
    const auto number = base::parse_unsigned(port);
    if (!number || *number == 0 || *number > kMaxPort)
      refuse(whole, "its port '" + std::string(port) + "'");
  }
  const bool address = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (address ? !is_address_text(host.substr(1, host.size() - 2)) : !is_host_name(host))
    refuse(whole, "its host '" + std::string(host) + "'");
}

/// The first part of a path is a host when it looks like one, and only then.
bool looks_like_domain(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:[") != std::string_view::npos ||
         std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

void check_tag(std::string_view tag, std::string_view whole) {
  const bool known =
      std::ranges::all_of(tag, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
  if (tag.empty() || tag.size() > kMaxTag || !known || tag.front() == '.' || tag.front() == '-')
    refuse(whole, "its tag '" + std::string(tag) + "'");
}

std::string suffix(const Reference& reference) {
  return (reference.tag.empty() ? "" : ":" + reference.tag) +
         (reference.digest.empty() ? "" : "@" + reference.digest);
}

}  // namespace

std::string Reference::full() const {
  return domain + "/" + repository + suffix(*this);
}

std::string Reference::familiar() const {
  if (domain != kDockerHub)
    return full();
  const auto slash = repository.find('/');
  if (repository.starts_with(kOfficial) && repository.find('/', slash + 1) == std::string::npos)
    return repository.substr(kOfficial.size()) + suffix(*this);
  // docker.io/quay.io/web in short would be another registry's.
  return looks_like_domain(repository.substr(0, slash)) ? full() : repository + suffix(*this);
}

Reference parse_reference(std::string_view text) {
  if (text.empty() || text.size() > kMaxText)
    refuse(text, "it has no or too many characters");
  Reference reference;
  std::string_view name = text;
  if (const auto at = name.find('@'); at != std::string_view::npos) {
    reference.digest = name.substr(at + 1);
    (void)digest_hex(reference.digest);
    name = name.substr(0, at);
  }
  const auto last_slash = name.find_last_of('/');
  const auto colon = name.find_last_of(':');
  if (colon != std::string_view::npos && (last_slash == std::string_view::npos || colon > last_slash)) {
    reference.tag = name.substr(colon + 1);
    check_tag(reference.tag, text);
    name = name.substr(0, colon);
  } else if (reference.digest.empty()) {
    reference.tag = "latest";
  }

  const auto slash = name.find('/');
  reference.short_name = slash == std::string_view::npos || !looks_like_domain(name.substr(0, slash));
  if (reference.short_name) {
    reference.domain = kDockerHub;
  } else {
    reference.domain = name.substr(0, slash);
    check_domain(reference.domain, text);
    name.remove_prefix(slash + 1);
    if (reference.domain == "index.docker.io")
      reference.domain = kDockerHub;
  }
  for (const auto& component : base::split(name, '/')) {
    if (!is_path_component(component))
      refuse(text, "its path '" + std::string(name.substr(0, 80)) + "'");
  }
  reference.repository = name;
  if (reference.domain == kDockerHub && name.find('/') == std::string_view::npos)
    reference.repository.insert(0, kOfficial);
  if (reference.domain.size() + 1 + reference.repository.size() > kMaxName)
    refuse(text, "it is longer than 255 characters");
  return reference;
}

bool is_loopback(std::string_view host) {
  if (host.starts_with('['))
    return host.substr(0, host.find(']') + 1) == "[::1]";
  const std::string_view name = host.substr(0, host.find(':'));
  if (name == "localhost" || name.ends_with(".localhost"))
    return true;
  // 127.0.0.0/8, as four numbers: "127.evil.example" is a name of somebody else's.
  const auto parts = base::split(name, '.');
  return parts.size() == 4 && parts[0] == "127" && std::ranges::all_of(parts, [](const std::string& part) {
           const auto number = base::parse_unsigned(part);
           return number && *number <= 255;
         });
}

std::string normalize_name(std::string_view name) {
  return parse_reference(name).familiar();
}

bool is_name(std::string_view name) {
  try {
    (void)parse_reference(name);
    return true;
  } catch (const base::Error&) {
    return false;
  }
}

}  // namespace trine::images
