#include "hvm-sandbox/kernels.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"

namespace trine::hvm {
namespace {

constexpr const char* kDefault = "default";

std::string default_name(const std::string& root) {
  std::error_code error;
  return std::filesystem::read_symlink(root + "/" + kDefault, error).string();
}

}  // namespace

std::vector<Kernel> list_kernels(const std::string& root) {
  std::vector<Kernel> kernels;
  const std::string chosen = default_name(root);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    // What an import has not finished begins with a dot.
    if (entry.is_symlink() || name.starts_with('.') || !std::filesystem::exists(entry.path() / kKernelFile))
      continue;
    kernels.push_back({.name = name, .directory = entry.path().string(), .is_default = name == chosen});
  }
  std::ranges::sort(kernels, {}, &Kernel::name);
  return kernels;
}

Kernel find_kernel(const std::string& root, const std::string& name) {
  for (Kernel& kernel : list_kernels(root)) {
    if (name.empty() ? kernel.is_default : kernel.name == name)
      return std::move(kernel);
  }
  throw base::Error(name.empty() ? "there is no guest kernel" : "there is no guest kernel " + name, 0,
                    "trine kernel import linux-image-…-cloud-amd64_….deb, a package of Debian's, makes one "
                    "(apt-get download fetches it)");
}

void use_kernel(const std::string& root, const std::string& name) {
  (void)find_kernel(root, name);
  const std::string temporary = root + "/." + kDefault + "." + base::random_hex(8);
  if (::symlink(name.c_str(), temporary.c_str()) != 0)
    base::throw_errno("cannot make the symbolic link " + temporary);
  if (::rename(temporary.c_str(), (root + "/" + kDefault).c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw base::Error("cannot make " + name + " the default kernel", error);
  }
}

}  // namespace trine::hvm
