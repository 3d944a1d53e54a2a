#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "cgroups/group.h"
#include "command.h"
#include "commands.h"
#include "store.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::ordered_json;
using Text = const std::string&;

enum class Format { kTable, kJson };

Format parse_format(Text value) {
  if (value == "json")
    return Format::kJson;
  if (value == "table")
    return Format::kTable;
  throw base::Error("--format '" + value + "': it is table or json");
}

struct ListOptions {
  bool quiet = false;
  Format format = Format::kTable;
};
constexpr args::Flag<ListOptions> kListFlags[] = {
    {{"-f,--format", "FORMAT", nullptr, "table (default) or json"},
     [](ListOptions& o, Text v) { o.format = parse_format(v); }},
    {{"-q,--quiet", nullptr, nullptr, "ids only"}, [](ListOptions& o, Text v) { o.quiet = args::is_on(v); }},
};

struct PsOptions {
  Format format = Format::kTable;
};
constexpr args::Flag<PsOptions> kPsFlags[] = {
    {{"-f,--format", "FORMAT", nullptr, "table (default), or json: an array of numbers"},
     [](PsOptions& o, Text v) { o.format = parse_format(v); }},
};

std::string document(const Container& container) {
  return state_document(container.state, name_of(container.status()), container.state.pid);
}

/// Rows of equal columns.
std::string table(const std::vector<std::array<std::string, 6>>& rows) {
  std::array<std::size_t, 6> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      text += i + 1 == row.size() ? row[i] : row[i] + std::string(widths[i] + 3 - row[i].size(), ' ');
    text += "\n";
  }
  return text;
}

/// What ps(1) says of these processes: its heading, and the rows whose column PID has one of them.
std::string filtered_ps(const std::vector<pid_t>& pids, Arguments options) {
  if (options.empty())
    options = {"-ef"};
  constexpr std::size_t kMaxTable = 64 << 20;  // of a machine with many processes, with all columns
  const auto result = base::run_program("ps", options, kMaxTable);
  if (result.status.code != 0)
    throw base::Error("cannot list processes: ps failed: " + std::string(base::trim(result.output)), 0,
                      "is the Debian package procps installed?");
  const auto lines = base::split(result.output, '\n', base::SplitEmpty::kSkip);
  const auto heading = base::split(lines.empty() ? "" : lines.front(), ' ', base::SplitEmpty::kSkip);
  const auto column = static_cast<std::size_t>(std::ranges::find(heading, "PID") - heading.begin());
  if (column == heading.size())
    throw base::Error("cannot list processes: ps was asked for no column PID");
  std::string text = lines.front() + "\n";
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = base::split(lines[i], ' ', base::SplitEmpty::kSkip);
    const auto pid = column < fields.size() ? base::parse_unsigned(fields[column]) : std::nullopt;
    if (pid && std::ranges::find(pids, static_cast<pid_t>(*pid)) != pids.end())
      text += lines[i] + "\n";
  }
  return text;
}

}  // namespace

FlagTexts list_flags() {
  return args::flag_texts(kListFlags);
}

FlagTexts ps_flags() {
  return args::flag_texts(kPsFlags);
}

int run_state(const Globals& globals, Arguments arguments) {
  const auto rest = parse("state", {}, std::move(arguments), 1, 1).rest;
  print(document(Container::open(globals.root, rest.front(), Container::Access::kRead)));
  return 0;
}

int run_list(const Globals& globals, Arguments arguments) {
  ListOptions options;
  parse("list", kListFlags, std::move(arguments), options, 0, 0);
  Json all = Json::array();
  std::vector<std::array<std::string, 6>> rows{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  std::string ids;
  for (const auto& id : container_ids(globals.root)) {
    try {
      const Container container = Container::open(globals.root, id, Container::Access::kRead);
      const State& state = container.state;
      const std::string status = name_of(container.status());
      ids += id + "\n";
      all.push_back(Json::parse(document(container)));
      rows.push_back({id, status == "stopped" ? "0" : std::to_string(state.pid), status, state.bundle,
                      state.created, state.owner});
    } catch (const NotFound&) {
      // Deleted since the directory was read.
    }
  }
  if (options.quiet)
    print(ids);
  else
    print(options.format == Format::kJson ? all.dump() + "\n" : table(rows));
  return 0;
}

int run_ps(const Globals& globals, Arguments arguments) {
  PsOptions options;
  auto rest = parse("ps", kPsFlags, std::move(arguments), options, 1, SIZE_MAX);
  const Container container = Container::open(globals.root, rest.front(), Container::Access::kRead);
  rest.erase(rest.begin());
  const auto pids = cgroups::open_group(container.state.cgroups).processes();
  print(options.format == Format::kJson ? Json(pids).dump() + "\n" : filtered_ps(pids, std::move(rest)));
  return 0;
}

}  // namespace trine::runtime::oci_cli
