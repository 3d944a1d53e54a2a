#include "state.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const State& state) {
  const Json json{
      {"id", state.id},           {"bundle", state.bundle},        {"rootfs", state.rootfs},
      {"created", state.created}, {"owner", state.owner},          {"annotations", state.annotations},
      {"pid", state.pid},         {"startTime", state.start_time}, {"creating", state.creating},
      {"cgroups", state.cgroups}};
  return dump(json, -1);
}

State from_json(const std::string& text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    State state;
    json.at("id").get_to(state.id);
    json.at("bundle").get_to(state.bundle);
    json.at("rootfs").get_to(state.rootfs);
    json.at("created").get_to(state.created);
    json.at("owner").get_to(state.owner);
    json.at("annotations").get_to(state.annotations);
    json.at("pid").get_to(state.pid);
    json.at("startTime").get_to(state.start_time);
    json.at("creating").get_to(state.creating);
    json.at("cgroups").get_to(state.cgroups);
    return state;
  } catch (const nlohmann::json::exception&) {
    throw base::Error("cannot read " + file + ": it is damaged", 0, "delete --force removes the container");
  }
}

std::string state_document(const State& state, const std::string& status, pid_t pid) {
  Json json{{"ociVersion", "1.3.0"}, {"id", state.id}, {"status", status}};
  json["pid"] = status == "stopped" ? 0 : pid;  // engines want the field always
  json["bundle"] = state.bundle;
  json["rootfs"] = state.rootfs;
  json["created"] = state.created;
  json["owner"] = state.owner;
  if (!state.annotations.empty())
    json["annotations"] = state.annotations;
  return dump(json, 2) + "\n";
}

}  // namespace trine::runtime::oci_cli
