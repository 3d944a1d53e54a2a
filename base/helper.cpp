#include "base/helper.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"

namespace trine::base {

std::string find_helper(const std::string& name) {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string whole(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string own = whole.substr(0, whole.find_last_of('/'));
  for (const std::string& directory : {own, own + "/../libexec/trine"}) {
    std::string program = directory + "/" + name;
    if (::access(program.c_str(), X_OK) == 0)
      return program;
  }
  throw Error("cannot find " + name + ", a program of trine's", ENOENT,
              "it belongs into " + own + " or " + own + "/../libexec/trine");
}

}  // namespace trine::base
