#pragma once

#include <string>

#include "images/store.h"

namespace trine::runtime::engine {

/// How programs of another architecture would run here.
struct Interpreter {
  enum class State {
    kNone,         ///< nothing is registered that takes them
    kInContainer,  ///< registered without flag F: the kernel looks for it in the container
    kReady,
  };
  State state = State::kNone;
  std::string path;
};

/// What binfmt_misc, mounted at `directory`, has enabled for programs of an architecture in GOARCH's terms.
/// Source: Linux Documentation/admin-guide/binfmt-misc.rst.
Interpreter find_interpreter(const std::string& directory, const std::string& architecture);

/// Throws Error when programs of the image cannot run in a container on this host, and says which package
/// changes that. An image that does not say what it is for is let through.
void check_runs_here(const images::ImageConfig& config, const std::string& image);

/// The same for a VM, whose kernel runs this machine's programs alone.
void check_runs_in_vm(const images::ImageConfig& config, const std::string& image);

}  // namespace trine::runtime::engine
