#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

/// What a forked child said in a network namespace of its own.
struct ChildResult {
  bool allowed = true;  ///< false: this machine does not let us make a network namespace
  std::string text;     ///< what `work` returned, or "threw: …"
};

/// Runs `work` in a child that has a new network namespace.
ChildResult in_new_network_namespace(const std::function<std::string()>& work);

/// The output of a shell command in the calling thread's namespace.
std::string shell(const std::string& command);
