#include "document.h"

#include "base/error.h"
#include "layout.h"

namespace trine::images {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw base::Error(name + " " + what, 0, "the image is damaged or forged");
}

const Json& member(const Json& object, const char* key, const std::string& name) {
  if (!object.is_object())
    refuse(name, "is no object");
  const auto found = object.find(key);
  if (found == object.end())
    refuse(name, std::string("has no ") + key);
  return *found;
}

std::string text(const Json& object, const char* key, const std::string& name, bool required = false) {
  if (!object.is_object())
    refuse(name, "is no object");
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) {
    if (required)
      refuse(name, std::string("has no ") + key);
    return {};
  }
  if (!found->is_string())
    refuse(name, std::string("has a ") + key + " that is no text");
  return found->get<std::string>();
}

std::vector<std::string> texts(const Json& object, const char* key, const std::string& name) {
  std::vector<std::string> result;
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    return result;
  // Entrypoint and Cmd of very old images are one text, for a shell.
  if (found->is_string())
    return {"/bin/sh", "-c", found->get<std::string>()};
  if (!found->is_array())
    refuse(name, std::string("has a ") + key + " that is no list");
  for (const auto& item : *found) {
    if (!item.is_string())
      refuse(name, std::string("has a ") + key + " with what is no text");
    result.push_back(item.get<std::string>());
    if (result.back().find('\0') != std::string::npos)
      refuse(name, std::string("has a NUL byte in ") + key);
  }
  return result;
}

std::vector<std::string> keys(const Json& object, const char* key) {
  std::vector<std::string> result;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_object())
    return result;
  for (const auto& [name, value] : found->items())
    result.push_back(name);
  return result;
}

Descriptor parse_descriptor(const Json& json, const std::string& name) {
  Descriptor descriptor{.media_type = text(json, "mediaType", name),
                        .digest = text(json, "digest", name, true)};
  (void)digest_hex(descriptor.digest);
  const Json& size = member(json, "size", name);
  if (!size.is_number_unsigned())
    refuse(name, "has a size that is no number");
  descriptor.size = size.get<std::uint64_t>();
  if (const auto platform = json.find("platform"); platform != json.end() && platform->is_object()) {
    descriptor.os = text(*platform, "os", name);
    descriptor.architecture = text(*platform, "architecture", name);
    descriptor.variant = text(*platform, "variant", name);
  }
  if (const auto notes = json.find("annotations"); notes != json.end() && notes->is_object()) {
    descriptor.ref_name = text(*notes, "org.opencontainers.image.ref.name", name);
  }
  return descriptor;
}

}  // namespace

Json parse_document(std::string_view source, const std::string& name) {
  constexpr int kMaxDepth = 32;
  if (source.size() > kMaxDocument)
    refuse(name, "is larger than 4 MiB");
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  Json json = Json::parse(source, watch, false);
  if (too_deep)
    refuse(name, "is nested too deep");
  if (json.is_discarded() || !(json.is_object() || json.is_array()))
    refuse(name, "is no JSON");
  return json;
}

bool is_index(const Json& document) {
  const std::string type =
      document.is_object() && document.contains("mediaType") && document["mediaType"].is_string()
          ? document["mediaType"].get<std::string>()
          : "";
  return type.find("index") != std::string::npos || type.find("manifest.list") != std::string::npos ||
         (type.empty() && document.is_object() && document.contains("manifests"));
}

std::vector<Descriptor> parse_index(const Json& document, const std::string& name) {
  // Read as the one it would be an index, as the other a manifest: whose signature was checked?
  // (CVE-2021-41190)
  if (document.contains("layers") || document.contains("config")) {
    refuse(name, "is an index and a manifest at the same time");
  }
  const Json& manifests = member(document, "manifests", name);
  if (!manifests.is_array())
    refuse(name, "has manifests that are no list");
  std::vector<Descriptor> result;
  for (const auto& entry : manifests)
    result.push_back(parse_descriptor(entry, name));
  return result;
}

Manifest parse_manifest(const Json& document, const std::string& name) {
  if (!document.is_object())
    refuse(name, "is no object");
  if (document.contains("manifests"))
    refuse(name, "is an index and a manifest at the same time");
  if (const auto version = document.find("schemaVersion"); version != document.end() && *version != 2) {
    refuse(name, "is of schema version " + version->dump() + ", not 2");
  }
  Manifest manifest{.config = parse_descriptor(member(document, "config", name), name)};
  const Json& layers = member(document, "layers", name);
  if (!layers.is_array())
    refuse(name, "has layers that are no list");
  if (layers.size() > kMaxLayers)
    refuse(name, "has " + std::to_string(layers.size()) + " layers, more than 500");
  for (const auto& entry : layers) {
    manifest.layers.push_back(parse_descriptor(entry, name));
    const std::string& type = manifest.layers.back().media_type;
    const bool known = type.empty() || type.find("tar") != std::string::npos;
    if (!known || type.find("foreign") != std::string::npos)
      refuse(name, "has a layer of the unknown type " + type);
  }
  return manifest;
}

Configuration parse_configuration(const Json& document, const std::string& name) {
  Configuration result;
  ImageConfig& config = result.config;
  config.os = text(document, "os", name);
  config.architecture = text(document, "architecture", name);
  config.variant = text(document, "variant", name);
  config.created = text(document, "created", name);
  if (const auto part = document.find("config"); part != document.end() && part->is_object()) {
    config.env = texts(*part, "Env", name);
    config.entrypoint = texts(*part, "Entrypoint", name);
    config.cmd = texts(*part, "Cmd", name);
    config.working_dir = text(*part, "WorkingDir", name);
    config.user = text(*part, "User", name);
    config.stop_signal = text(*part, "StopSignal", name);
    config.volumes = keys(*part, "Volumes");
    config.exposed_ports = keys(*part, "ExposedPorts");
    if (const auto labels = part->find("Labels"); labels != part->end() && labels->is_object()) {
      for (const auto& [key, value] : labels->items()) {
        if (value.is_string())
          config.labels[key] = value.get<std::string>();
      }
    }
  }
  const Json& rootfs = member(document, "rootfs", name);
  if (!rootfs.is_object())
    refuse(name, "has a rootfs that is no object");
  result.diff_ids = texts(rootfs, "diff_ids", name);
  for (const auto& diff_id : result.diff_ids)
    (void)digest_hex(diff_id);
  return result;
}

}  // namespace trine::images
