#pragma once

#include <string>

#include "base/error.h"
#include "globals.h"

namespace trine::runtime::oci_cli {

/// Tells an error to the person at standard error and to the engine that reads --log.
void report(const Globals& globals, const base::Error& error);

}  // namespace trine::runtime::oci_cli
