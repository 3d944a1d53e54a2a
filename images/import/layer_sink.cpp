#include "layer_sink.h"

#include "base/error.h"
#include "base/text.h"

namespace trine::images {

std::string clean_path(const std::string& path) {
  std::string result;
  for (const auto& part : base::split(path, '/', base::SplitEmpty::kSkip)) {
    if (part != ".")
      result += (result.empty() ? "" : "/") + part;
  }
  return result;
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos)
    return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::optional<Whiteout> parse_whiteout(const std::string& path) {
  constexpr std::string_view kWhiteout = ".wh.";
  constexpr std::string_view kOpaque = ".wh..wh..opq";
  const auto [directory, name] = split_path(path);
  if (!name.starts_with(kWhiteout))
    return std::nullopt;
  if (name == kOpaque)
    return Whiteout{.directory = directory};
  const std::string hidden = name.substr(kWhiteout.size());
  if (hidden.empty() || hidden == "." || hidden == ".." || hidden.starts_with(kWhiteout))
    throw base::Error("the layer has a whiteout of nothing: '" + path + "'");
  return Whiteout{.hidden = directory.empty() ? hidden : directory + "/" + hidden, .directory = directory};
}

bool keeps_xattr(std::string_view name) {
  return !name.starts_with("trusted.overlay.") && !name.starts_with("user.overlay.") &&
         name != "security.selinux";
}

}  // namespace trine::images
