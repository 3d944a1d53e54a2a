#pragma once

#include <string>
#include <vector>

#include "export/new_image.h"
#include "images/platform.h"
#include "importer.h"

/// What trine-images can be told to do; main.cpp says how. Each returns an exit code and throws Error.
namespace trine::images {

struct Command {
  std::string store;
  std::string mounts;              ///< where layers get mounted
  std::vector<std::string> words;  ///< behind the verb
  std::vector<std::string> names;  ///< normalized
  Platform platform = own_platform();
  std::string signature_policy;  ///< a file; empty: where containers-policy.json(5) has it
  std::string format;            ///< of a directory to be saved: "dir", or else an OCI layout
  std::string output;            ///< that directory; empty: an archive is saved, to the standard output
  std::string upper;             ///< what an instance has written: the upper directory of its overlay
  bool changing = false;         ///< it runs
  Description description;
  bool quiet = false;
  bool repair = false;
};

int load(const Command& command);
int save(const Command& command);
int check(const Command& command);
int import(const Command& command);
int export_tree(const Command& command);
int diff(const Command& command);
int commit(const Command& command);

/// Stores an image under `names` and prints its line: digest and names, separated by blanks.
int store_image(Importer& importer, const ImageSource& image, const std::vector<std::string>& names);

}  // namespace trine::images
