#include "record.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace trine::runtime::engine {
namespace {

using Json = nlohmann::ordered_json;

Json to_object(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json object = Json::object();
  for (const auto& [key, value] : pairs)
    object[key] = value;
  return object;
}

std::vector<std::pair<std::string, std::string>> to_pairs(const Json& object) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : object.items())
    pairs.emplace_back(key, value.get<std::string>());
  return pairs;
}

}  // namespace

std::string to_json(const Record& record) {
  Json json{{"id", record.id},
            {"name", record.name},
            {"image", record.image},
            {"imageDigest", record.image_digest},
            {"bundle", record.bundle},
            {"isolation", record.isolation},
            {"command", record.command},
            {"labels", to_object(record.labels)},
            {"annotations", to_object(record.annotations)},
            {"created", record.created},
            {"remove", record.remove},
            {"terminal", record.terminal},
            {"stopSignal", record.stop_signal},
            {"cgroups", record.cgroups},
            {"status", record.status},
            {"pid", record.pid},
            {"startTime", record.start_time},
            {"oomKilled", record.oom_killed},
            {"error", record.error},
            {"finished", record.finished}};
  if (record.vm_memory_bytes != 0)
    json["memory"] = record.vm_memory_bytes;
  json["exitCode"] = record.exit_code ? Json(*record.exit_code) : Json(nullptr);
  // A command may hold bytes that are no UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<Record> parse_record(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Record record;
    json.at("id").get_to(record.id);
    json.at("name").get_to(record.name);
    json.at("image").get_to(record.image);
    json.at("imageDigest").get_to(record.image_digest);
    json.at("bundle").get_to(record.bundle);
    record.isolation = json.value("isolation", record.isolation);
    record.vm_memory_bytes = json.value("memory", record.vm_memory_bytes);
    json.at("command").get_to(record.command);
    record.labels = to_pairs(json.at("labels"));
    record.annotations = to_pairs(json.at("annotations"));
    json.at("created").get_to(record.created);
    json.at("remove").get_to(record.remove);
    record.terminal = json.value("terminal", record.terminal);
    json.at("stopSignal").get_to(record.stop_signal);
    json.at("cgroups").get_to(record.cgroups);
    json.at("status").get_to(record.status);
    json.at("pid").get_to(record.pid);
    json.at("startTime").get_to(record.start_time);
    json.at("oomKilled").get_to(record.oom_killed);
    record.error = json.value("error", record.error);
    json.at("finished").get_to(record.finished);
    if (!json.at("exitCode").is_null())
      record.exit_code = json.at("exitCode").get<int>();
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<Record> read_record(const std::string& directory) {
  const base::UniqueFd fd(::open((directory + "/record.json").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return std::nullopt;
  try {
    return parse_record(base::read_all(fd.get(), directory + "/record.json", 1 << 20));
  } catch (const base::Error&) {
    return std::nullopt;  // longer than any record, or no file
  }
}

void keep_record(const std::string& directory, const Record& record) {
  const base::UniqueFd place = base::open_file(directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(place.get(), "record.json", to_json(record), base::Durability::kDisk, 0600);
}

}  // namespace trine::runtime::engine
