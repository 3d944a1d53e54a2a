#pragma once

#include <string>

namespace trine::runtime::oci_cli {

/// What stands before the command.
struct Globals {
  std::string root;       ///< state directories
  std::string log;        ///< where errors are written too; empty: nowhere else
  bool json_log = false;  ///< an object a line, as engines read it
  std::string criu;       ///< the program; empty: the one in PATH
  bool systemd_cgroup = false;
};

}  // namespace trine::runtime::oci_cli
