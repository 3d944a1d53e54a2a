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

// parse_vm.cpp
Vm read_vm(const Reader& reader);

}  // namespace trine::runtime::oci
