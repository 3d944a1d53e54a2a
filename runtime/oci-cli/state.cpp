#include "state.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace trine::runtime::oci_cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json scope_json(const Scope& scope) {
  return {{"slice", scope.unit.slice}, {"name", scope.unit.name}, {"user", scope.user}};
}

Scope scope_from(const Json& json) {
  return {.unit = {.slice = json.at("slice").get<std::string>(), .name = json.at("name").get<std::string>()},
          .user = json.at("user").get<bool>()};
}

}  // namespace

std::string to_json(const State& state) {
  Json json{{"id", state.id},           {"bundle", state.bundle},        {"rootfs", state.rootfs},
            {"created", state.created}, {"owner", state.owner},          {"annotations", state.annotations},
            {"pid", state.pid},         {"startTime", state.start_time}, {"creating", state.creating},
            {"cgroups", state.cgroups}};
  if (state.vm)
    json["vm"] = {{"paused", state.paused}, {"memory", state.vm_memory}};
  if (state.scope)
    json["scope"] = scope_json(*state.scope);
  if (state.root_mount)
    json["rootMount"] = {{"path", state.root_mount->path}, {"below", state.root_mount->below}};
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
    state.vm = json.contains("vm");
    if (state.vm) {
      json["vm"].at("paused").get_to(state.paused);
      json["vm"].at("memory").get_to(state.vm_memory);
    }
    if (json.contains("scope"))
      state.scope = scope_from(json["scope"]);
    if (json.contains("rootMount")) {
      const Json& mount = json["rootMount"];
      state.root_mount = {.path = mount.at("path").get<std::string>(),
                          .below = mount.at("below").get<std::uint64_t>()};
    }
    return state;
  } catch (const nlohmann::json::exception&) {
    throw base::Error("cannot read " + file + ": it is damaged", 0, "delete --force removes the container");
  }
}

std::string state_document(const State& state, const std::string& status, pid_t pid) {
  Json json{{"ociVersion", "1.3.0"}, {"id", state.id}};
  json["pid"] = status == "stopped" ? 0 : pid;  // engines want the field always
  json["status"] = status;                      // the order is runc's: scripts match the line with a pattern
  json["bundle"] = state.bundle;
  json["rootfs"] = state.rootfs;
  json["created"] = state.created;
  json["owner"] = state.owner;
  if (!state.annotations.empty())
    json["annotations"] = state.annotations;
  return dump(json, 2) + "\n";
}

}  // namespace trine::runtime::oci_cli
