#include "hvm-sandbox/kernels.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/remove_tree.h"
#include "base/text.h"

namespace trine::hvm {
namespace {

constexpr const char* kDefault = "default";
constexpr std::uint64_t kEmptyArchive = 512;  ///< the trailer of an archive of nothing, at most

std::string default_name(const std::string& root) {
  std::error_code error;
  return std::filesystem::read_symlink(root + "/" + kDefault, error).string();
}

std::uint64_t size_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
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
    // Taken away meanwhile, its files have no size.
    const std::uint64_t kernel_bytes = size_of(entry.path() / kKernelFile);
    const std::uint64_t module_bytes = size_of(entry.path() / kModulesFile);
    kernels.push_back({.name = name,
                       .directory = entry.path().string(),
                       .is_default = name == chosen,
                       .has_modules = module_bytes > kEmptyArchive,
                       .bytes = kernel_bytes + module_bytes});
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

void remove_kernel(const std::string& root, const std::string& name) {
  const Kernel kernel = find_kernel(root, name);
  const bool is_last = list_kernels(root).size() == 1;
  if (kernel.is_default && !is_last)
    throw base::Error(name + " is the default kernel", 0,
                      "make another the default first: trine kernel use NAME");
  // Renamed first: from then on nobody finds half of it.
  const std::string hidden = ".removed." + base::random_hex(8);
  if (::rename(kernel.directory.c_str(), (root + "/" + hidden).c_str()) != 0)
    base::throw_errno("cannot remove " + kernel.directory);
  if (kernel.is_default && ::unlink((root + "/" + kDefault).c_str()) != 0 && errno != ENOENT)
    base::throw_errno("cannot remove " + root + "/" + kDefault);
  base::remove_tree(base::open_file(root, O_RDONLY | O_DIRECTORY).get(), hidden);
}

}  // namespace trine::hvm
