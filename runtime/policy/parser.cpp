#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "image_pattern.h"
#include "isolation/capabilities.h"
#include "runtime/policy/isolation_policy.h"
#include "strict_json.h"

namespace trine::runtime::policy {
namespace {

using images::JsonPlace;
using Texts = std::vector<std::string>;

constexpr std::string_view kCapability = "capability:";

template <typename T, std::size_t N>
T choose(const JsonPlace& place, const std::pair<std::string_view, T> (&table)[N]) {
  const std::string text = place.text();
  std::string known;
  for (const auto& [name, value] : table) {
    if (name == text)
      return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  place.refuse("is none of " + known);
}

std::string filled_text(const JsonPlace& place) {
  std::string text = place.text();
  if (text.empty())
    place.refuse("is empty");
  return text;
}

/// A text, or a list of some; each as `check` returns it.
template <typename Check>
Texts read_texts(const JsonPlace& match, const char* key, Check check) {
  const auto place = match.find(key);
  if (!place)
    return {};
  if (!place->is_list())
    return {check(*place)};
  Texts texts;
  for (const JsonPlace& item : place->items())
    texts.push_back(check(item));
  if (texts.empty())
    place->refuse("is empty, and so fits nothing");
  return texts;
}

std::string read_pattern(const JsonPlace& place) {
  std::string pattern = place.text();
  if (const std::string fault = pattern_fault(pattern); !fault.empty())
    place.refuse(fault);
  return pattern;
}

/// `prefix` and a SHA-256 in hexadecimal.
std::string read_sum(const JsonPlace& place, std::string_view prefix) {
  constexpr std::size_t kDigits = 64;
  std::string text = place.text();
  const std::string_view digits =
      text.starts_with(prefix) ? std::string_view(text).substr(prefix.size()) : std::string_view();
  if (digits.size() != kDigits || digits.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    place.refuse("is not " + std::string(prefix) + " and 64 hexadecimal digits");
  return text;
}

std::string read_user(const JsonPlace& place) {
  std::string text = filled_text(place);
  if (text.find_first_of(":/* \t\n") != std::string::npos)
    place.refuse("is no name or number of a user");
  return text;
}

std::string read_privilege(const JsonPlace& place) {
  std::string text = place.text();
  if (text.starts_with(kCapability)) {
    const auto number = isolation::parse_capability(std::string_view(text).substr(kCapability.size()));
    if (!number)
      place.refuse("names no capability: capabilities(7) lists them");
    constexpr std::string_view kPrefix = "CAP_";
    return std::string(kCapability) + std::string(isolation::capability_name(*number).substr(kPrefix.size()));
  }
  if (text == "any" || text == "none" || std::ranges::find(kPrivileges, text) != std::end(kPrivileges))
    return text;
  std::string known = "any, none, capability:NAME";
  for (const auto& name : kPrivileges)
    known += ", " + std::string(name);
  place.refuse("is none of " + known);
}

std::map<std::string, std::string> read_labels(const JsonPlace& match) {
  const auto place = match.find("labels");
  if (!place)
    return {};
  std::map<std::string, std::string> labels;
  for (const auto& [key, value] : place->members())
    labels.emplace(key, value.text());
  if (labels.empty())
    place->refuse("is empty");
  return labels;
}

Match read_match(const JsonPlace& rule) {
  const auto place = rule.find("match");
  if (!place)
    return {};
  place->allow_only({"image", "digest", "signed", "signer", "user", "privileges", "labels"});
  Match match{
      .images = read_texts(*place, "image", read_pattern),
      .digests = read_texts(*place, "digest", [](const JsonPlace& one) { return read_sum(one, "sha256:"); }),
      .signers = read_texts(*place, "signer", [](const JsonPlace& one) { return read_sum(one, "SHA256:"); }),
      .users = read_texts(*place, "user", read_user),
      .privileges = read_texts(*place, "privileges", read_privilege),
      .labels = read_labels(*place)};
  if (const auto is_signed = place->find("signed"))
    match.is_signed = is_signed->boolean();
  if (match.is_signed == false && !match.signers.empty())
    place->refuse("asks for an unsigned image with a signer, which there is none of");
  return match;
}

Rule read_rule(const JsonPlace& place) {
  constexpr std::pair<std::string_view, Class> kClasses[] = {
      {"container", Class::kContainer}, {"vm", Class::kVm}, {"full", Class::kFull}};
  place.allow_only({"match", "class", "enforce", "reason"});
  Rule rule{.place = place.document() + ": " + place.path(),
            .match = read_match(place),
            .isolation = choose(place.member("class"), kClasses)};
  if (const auto enforce = place.find("enforce"))
    rule.enforce = enforce->boolean();
  if (const auto reason = place.find("reason"))
    rule.reason = filled_text(*reason);
  return rule;
}

}  // namespace

void add_rules(std::string_view text, const std::string& file, IsolationPolicy& policy) {
  constexpr std::pair<std::string_view, Request> kDefaults[] = {{"auto", Request::kAuto},
                                                                {"container", Request::kContainer},
                                                                {"vm", Request::kVm},
                                                                {"full", Request::kFull}};
  const auto json = images::parse_strict_json(text, "the isolation policy " + file, kMaxFile);
  const JsonPlace root(json, file);
  root.allow_only({"default", "rules"});
  if (const auto standard = root.find("default")) {
    const Request request = choose(*standard, kDefaults);
    if (!policy.standard)
      policy.standard = Default{.place = file + ": " + standard->path(), .request = request};
  }
  if (const auto rules = root.find("rules")) {
    for (const JsonPlace& rule : rules->items())
      policy.rules.push_back(read_rule(rule));
  }
}

}  // namespace trine::runtime::policy
