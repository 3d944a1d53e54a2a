#pragma once

#include "reader.h"
#include "runtime/oci/spec.h"

/// The parts of config.json, one file a part.
namespace trine::runtime::oci {

// parse_process.cpp
Process read_process(const Reader& reader);

// parse_linux.cpp
Linux read_linux(const Reader& reader);
IdMapping read_mapping(const Reader& reader);

// parse_resources.cpp
Resources read_resources(const Reader& reader);

/// Fails for a field that is there and that this build does not do. To ignore it would be to run a container
/// other than the one that was asked for.
void refuse_unsupported(const Reader& reader, const char* name);

}  // namespace trine::runtime::oci
