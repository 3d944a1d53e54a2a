#include "detach_keys.h"

#include "base/text.h"
#include "runtime/engine/attach_instance.h"

namespace trine::runtime::engine {
namespace {

/// "ctrl-p" or "a"; -1 when it is neither.
int key_of(std::string_view text) {
  constexpr std::string_view kControl = "ctrl-";
  if (text.size() == 1)
    return static_cast<unsigned char>(text.front());
  if (text.size() != kControl.size() + 1 || !text.starts_with(kControl))
    return -1;
  const char letter = text.back();
  if (letter >= 'a' && letter <= 'z')
    return letter - 'a' + 1;
  constexpr std::string_view kOthers = "@[\\]^_";
  constexpr int kFirstCodes[] = {0, 27, 28, 29, 30, 31};
  const auto place = kOthers.find(letter);
  return place == std::string_view::npos ? -1 : kFirstCodes[place];
}

}  // namespace

std::optional<std::string> parse_detach_keys(std::string_view text) {
  std::string keys;
  if (text.empty())
    return keys;
  for (const std::string& part : base::split(text, ',')) {
    const int key = key_of(part);
    if (key < 0)
      return std::nullopt;
    keys += static_cast<char>(key);
  }
  return keys;
}

std::string DetachKeys::take(std::string_view typed) {
  std::string passed;
  for (const char key : typed) {
    if (are_typed())
      break;
    if (!keys_.empty() && key == keys_[matched_]) {
      ++matched_;
      continue;
    }
    // It was the beginning of something else, in which the sequence may begin later.
    std::string text = keys_.substr(0, matched_) + key;
    matched_ = 0;
    while (!text.empty() && !(text.size() < keys_.size() && keys_.starts_with(text))) {
      passed += text.front();
      text.erase(0, 1);
    }
    matched_ = text.size();
  }
  return passed;
}

}  // namespace trine::runtime::engine
