#include "instance_verbs.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "flags.h"
#include "isolation/rootless.h"
#include "runtime/engine/instance.h"
#include "table.h"

namespace trine::runtime::cli {
namespace {

struct PsOptions {
  bool all = false;
  bool quiet = false;
  std::string format = "table";
};
const Flag<PsOptions> kPsFlags[] = {
    {{"-a,--all", nullptr, "Output", "those that have ended too"},
     [](PsOptions& o, const std::string& v) { o.all = is_on(v); }},
    {{"-q,--quiet", nullptr, "Output", "ids only"},
     [](PsOptions& o, const std::string& v) { o.quiet = is_on(v); }},
    {{"--format", "table|json", "Output", "how to print"},
     [](PsOptions& o, const std::string& v) { o.format = v; }},
};

struct RmOptions {
  bool force = false;
};
const Flag<RmOptions> kRmFlags[] = {
    {{"-f,--force", nullptr, "Flags", "kill those that run"},
     [](RmOptions& o, const std::string& v) { o.force = is_on(v); }},
};

std::string command_text(const engine::Record& record) {
  constexpr std::size_t kMaxText = 30;
  std::string text;
  for (const auto& word : record.command)
    text += (text.empty() ? "" : " ") + word;
  return text.size() <= kMaxText ? text : text.substr(0, kMaxText - 1) + "…";
}

std::string status_text(const engine::Record& record) {
  if (!record.exit_code)
    return record.status;
  return "exited (" + std::to_string(*record.exit_code) + ")" + (record.oom_killed ? ", out of memory" : "");
}

}  // namespace

std::vector<FlagText> ps_flag_texts() {
  return flag_texts(kPsFlags);
}
std::vector<FlagText> rm_flag_texts() {
  return flag_texts(kRmFlags);
}

int run_ps(const engine::Paths& paths, std::vector<std::string> arguments) {
  PsOptions options;
  const auto rest = parse_flags("ps", kPsFlags, std::move(arguments), options);
  if (!rest.empty())
    throw base::Error("trine ps takes no '" + rest.front() + "'", 0, "trine ps --help");
  if (options.format != "table" && options.format != "json") {
    throw base::Error("--format '" + options.format + "' is unknown", 0, "table or json");
  }
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  std::vector<std::vector<std::string>> rows;
  if (!options.quiet)
    rows.push_back({"ID", "NAME", "IMAGE", "COMMAND", "CREATED", "STATUS"});
  auto list = nlohmann::ordered_json::array();
  for (const auto& record : engine::list_instances(paths)) {
    if (!options.all && !engine::has_process(record))
      continue;
    list.push_back(nlohmann::ordered_json::parse(engine::to_json(record)));
    const std::string id = record.id.substr(0, 12);
    if (options.quiet) {
      rows.push_back({id});
    } else {
      rows.push_back(
          {id, record.name, record.image, command_text(record), record.created, status_text(record)});
    }
  }
  print(options.format == "json" ? list.dump(2) + "\n" : format_table(rows));
  return 0;
}

int run_rm(const engine::Paths& paths, std::vector<std::string> arguments) {
  RmOptions options;
  const auto references = parse_flags("rm", kRmFlags, std::move(arguments), options);
  if (references.empty())
    throw base::Error("trine rm needs an instance", 0, "trine rm --help");
  if (isolation::is_rootless())
    isolation::enter_user_namespace();
  engine::repair(paths);
  for (const auto& reference : references) {
    engine::remove_instance(paths, reference, options.force);
    print(reference + "\n");
  }
  return 0;
}

}  // namespace trine::runtime::cli
