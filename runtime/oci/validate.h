#pragma once

#include <string>

#include "runtime/oci/spec.h"

/// What validate() asks of the parts, one file a part.
namespace trine::runtime::oci {

/// `field` is its path with the file's name before it.
[[noreturn]] void refuse(const std::string& field, const std::string& what, std::string hint = {});

/// One that is new and not joined.
bool has_new_namespace(const Spec& spec, std::string_view type);
bool is_absolute(const std::string& path);

// validate_process.cpp
/// `where` is "config.json: process" or what else the process was read from.
void check_process(const Process& process, const std::string& where);

// validate_linux.cpp
void check_time_offsets(const Spec& spec);
void check_intel_rdt(const Linux& part);
void check_net_devices(const Spec& spec);

}  // namespace trine::runtime::oci
