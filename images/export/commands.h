#pragma once

#include <string>
#include <vector>

#include "images/platform.h"

/// What trine-images can be told to do; main.cpp says how. Each returns an exit code and throws Error.
namespace trine::images {

struct Command {
  std::string store;
  std::string mounts;              ///< where layers get mounted
  std::vector<std::string> words;  ///< behind the verb
  std::vector<std::string> names;  ///< normalized
  Platform platform = own_platform();
  std::string format;  ///< of a directory to be saved: "dir", or else an OCI layout
  std::string output;  ///< that directory; empty: an archive is saved, to the standard output
  bool quiet = false;
  bool repair = false;
};

int load(const Command& command);
int save(const Command& command);
int check(const Command& command);

}  // namespace trine::images
