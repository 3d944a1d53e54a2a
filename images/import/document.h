#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "images/store.h"

/// The JSON documents of an image, checked. All functions throw base::Error naming the document.
/// Source: OCI image-spec 1.1, Docker's image manifest v2 schema 2.
namespace trine::images {

constexpr std::size_t kMaxDocument = 4 << 20;
constexpr std::size_t kMaxLayers = 500;  ///< what overlayfs takes

/// Parses at most kMaxDocument bytes, nested 32 deep at most.
nlohmann::json parse_document(std::string_view text, const std::string& name);

struct Descriptor {
  std::string media_type;
  std::string digest;  ///< checked
  std::uint64_t size = 0;
  std::string os, architecture, variant;  ///< of a manifest in an index
  std::string ref_name;                   ///< org.opencontainers.image.ref.name
};

bool is_index(const nlohmann::json& document);

/// The manifests of an index.
std::vector<Descriptor> parse_index(const nlohmann::json& document, const std::string& name);

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  ///< lowest first
};
Manifest parse_manifest(const nlohmann::json& document, const std::string& name);

struct Configuration {
  ImageConfig config;
  std::vector<std::string> diff_ids;  ///< lowest first
};
Configuration parse_configuration(const nlohmann::json& document, const std::string& name);

}  // namespace trine::images
