#include "record.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "layout.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string to_json(const Record& record) {
  const ImageConfig& config = record.image.config;
  const Json json{{"digest", record.image.digest},
                  {"id", record.image.id},
                  {"layers", record.layers},
                  {"size", record.image.size},
                  {"os", config.os},
                  {"architecture", config.architecture},
                  {"variant", config.variant},
                  {"env", config.env},
                  {"entrypoint", config.entrypoint},
                  {"cmd", config.cmd},
                  {"workingDir", config.working_dir},
                  {"user", config.user},
                  {"stopSignal", config.stop_signal},
                  {"volumes", config.volumes},
                  {"exposedPorts", config.exposed_ports},
                  {"labels", config.labels},
                  {"created", config.created}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Record parse_record(std::string_view text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    Record record;
    Image& image = record.image;
    json.at("digest").get_to(image.digest);
    json.at("id").get_to(image.id);
    json.at("layers").get_to(record.layers);
    json.at("size").get_to(image.size);
    ImageConfig& config = image.config;
    json.at("os").get_to(config.os);
    json.at("architecture").get_to(config.architecture);
    json.at("variant").get_to(config.variant);
    json.at("env").get_to(config.env);
    json.at("entrypoint").get_to(config.entrypoint);
    json.at("cmd").get_to(config.cmd);
    json.at("workingDir").get_to(config.working_dir);
    json.at("user").get_to(config.user);
    json.at("stopSignal").get_to(config.stop_signal);
    json.at("volumes").get_to(config.volumes);
    json.at("exposedPorts").get_to(config.exposed_ports);
    json.at("labels").get_to(config.labels);
    json.at("created").get_to(config.created);
    return record;
  } catch (const Json::exception&) {
    throw base::Error("the store's record " + file + " is damaged", 0,
                      "remove the image by its id (trine rmi) and load it again");
  }
}

}  // namespace trine::images
