#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/error.h"
#include "runtime/backend/programs.h"

namespace trine::runtime::backend {

std::string find_program(const std::string& name) {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string whole(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string own = whole.substr(0, whole.find_last_of('/'));
  for (const std::string& directory : {own, own + "/../libexec/trine"}) {
    std::string program = directory + "/" + name;
    if (::access(program.c_str(), X_OK) == 0)
      return program;
  }
  throw base::Error("cannot find the program " + name + ", which belongs to the VM class", ENOENT,
                    "it belongs beside trine, or in ../libexec/trine");
}

}  // namespace trine::runtime::backend
