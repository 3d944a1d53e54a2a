#include "isolation/rlimits.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/text.h"

namespace trine::isolation {
namespace {

struct Entry {
  std::string_view name;
  int resource;
};
constexpr std::array kTable{Entry{"RLIMIT_AS", RLIMIT_AS},
                            Entry{"RLIMIT_CORE", RLIMIT_CORE},
                            Entry{"RLIMIT_CPU", RLIMIT_CPU},
                            Entry{"RLIMIT_DATA", RLIMIT_DATA},
                            Entry{"RLIMIT_FSIZE", RLIMIT_FSIZE},
                            Entry{"RLIMIT_LOCKS", RLIMIT_LOCKS},
                            Entry{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                            Entry{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                            Entry{"RLIMIT_NICE", RLIMIT_NICE},
                            Entry{"RLIMIT_NOFILE", RLIMIT_NOFILE},
                            Entry{"RLIMIT_NPROC", RLIMIT_NPROC},
                            Entry{"RLIMIT_RSS", RLIMIT_RSS},
                            Entry{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                            Entry{"RLIMIT_RTTIME", RLIMIT_RTTIME},
                            Entry{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                            Entry{"RLIMIT_STACK", RLIMIT_STACK}};

constexpr std::string_view kPrefix = "RLIMIT_";

std::optional<std::uint64_t> parse_value(std::string_view text) {
  if (text == "unlimited" || text == "-1")
    return RLIM_INFINITY;
  return base::parse_unsigned(text);
}

}  // namespace

std::optional<int> parse_rlimit_name(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const auto& [known, resource] : kTable) {
    if (upper == known || upper == known.substr(kPrefix.size()))
      return resource;
  }
  return std::nullopt;
}

std::string_view rlimit_name(int resource) {
  const auto* entry = std::ranges::find(kTable, resource, &Entry::resource);
  return entry != kTable.end() ? entry->name : std::string_view("a resource limit");
}

Rlimit parse_ulimit(const std::string& text) {
  const auto equals = text.find('=');
  const auto resource = parse_rlimit_name(std::string_view(text).substr(0, equals));
  const std::string_view values =
      equals == std::string::npos ? "" : std::string_view(text).substr(equals + 1);
  const auto colon = values.find(':');
  const auto soft = parse_value(values.substr(0, colon));
  const auto hard = colon == std::string_view::npos ? soft : parse_value(values.substr(colon + 1));
  if (!resource || !soft || !hard) {
    throw base::Error("cannot read the limit '" + text + "'", 0,
                      "a limit is NAME=SOFT[:HARD], as in nofile=1024:2048 or core=unlimited");
  }
  if (*soft > *hard) {
    throw base::Error("cannot set the limit '" + text + "': the soft limit is above the hard one");
  }
  return {.resource = *resource, .soft = *soft, .hard = *hard};
}

}  // namespace trine::isolation
