#pragma once

#include <string>

namespace trine::runtime::backend {

/// A program of trine's own that belongs to the VM class (trine-vmm, trine-agent, trine-kernel): beside the
/// one that runs, or in ../libexec/trine. Throws base::Error when there is none.
std::string find_program(const std::string& name);

}  // namespace trine::runtime::backend
