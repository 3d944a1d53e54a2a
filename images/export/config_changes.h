#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace trine::images {

/// Changes the `config` of an image's configuration by instructions as a Dockerfile has them, in order:
/// CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR. As there, ENTRYPOINT takes the
/// image's CMD away unless a CMD stands before it. Throws Error that quotes the instruction.
/// Source: Docker's Dockerfile reference; OCI image-spec 1.1 config.md.
void apply_changes(nlohmann::json& config, const std::vector<std::string>& instructions);

}  // namespace trine::images
