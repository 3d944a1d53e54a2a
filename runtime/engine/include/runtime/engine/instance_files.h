#pragma once

#include <string>
#include <vector>

#include "runtime/engine/paths.h"

/// What an instance has written, and images made of it. It may run: then what is on the disk at that time
/// counts. All need an instance of an image, run as a container: a bundle's files are where the bundle is,
/// and a VM's writable layer goes with it. The work is done by trine-images; where an exit code is returned
/// that is not 0, it has said why. All throw Error.
namespace trine::runtime::engine {

/// How an image is made.
struct ImageRequest {
  std::string name;                  ///< empty: none
  std::vector<std::string> changes;  ///< instructions as in a Dockerfile: "CMD [\"web\"]"
  std::string message;
  std::string author;
  std::string platform;  ///< of an import; empty: this machine's
};

/// Writes the instance's file system, without what is mounted in it, as a tar archive to `file`, which
/// appears whole or not at all, or to the standard output when it is empty.
int export_instance(const Paths& paths, const std::string& reference, const std::string& file);

/// Prints a line for each path that it has changed of its image's: "A /new", "C /changed", "D /removed".
int diff_instance(const Paths& paths, const std::string& reference);

/// Makes an image of the instance's image and what it has written, which becomes a layer. Prints its digest
/// and name.
int commit_instance(const Paths& paths, const std::string& reference, const ImageRequest& request);

/// Makes an image of one layer of a root file system's archive; `source` is a file, or "-" for the standard
/// input. Prints its digest and name.
int import_image(const Paths& paths, const std::string& source, const ImageRequest& request);

}  // namespace trine::runtime::engine
