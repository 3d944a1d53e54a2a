#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trine::hvm {

/// "virtio-rng.ko" and "virtio_rng" are the same module.
std::string module_name(std::string_view file_or_name);

/// The modules that a module's file says it needs, from its .modinfo section. Empty for a file that says
/// nothing, or is damaged.
std::vector<std::string> module_dependencies(std::string_view file);

/// A module's file without the signature at its end: `file` itself when it has none. A kernel that does not
/// insist on signatures checks those that are there all the same. Source: Linux
/// include/linux/module_signature.h.
std::string_view without_signature(std::string_view file);

/// Whether there is a module of this name below `directory` (lib/modules/RELEASE), as a file.
bool has_module(const std::string& directory, const std::string& name);

/// The files of the wanted modules and all that they need, each behind what it needs, below
/// `directory` (lib/modules/RELEASE). What is built into the kernel (modules.builtin) is left out.
/// Throws base::Error for a module that the kernel does not have.
std::vector<std::string> modules_in_order(const std::string& directory,
                                          const std::vector<std::string>& wanted);

}  // namespace trine::hvm
