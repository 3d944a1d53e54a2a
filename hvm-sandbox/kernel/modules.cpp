#include "kernel/modules.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace trine::hvm {
namespace {

constexpr std::size_t kMostModuleBytes = 32 << 20;

/// Walks from what is wanted to what it needs.
class Resolver {
 public:
  explicit Resolver(const std::string& directory) {
    for (const std::string& line :
         base::split(base::read_file(directory + "/modules.builtin"), '\n', base::SplitEmpty::kSkip))
      built_in_.insert(module_name(line));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file() && entry.path().extension() == ".ko")
        files_.emplace(module_name(entry.path().filename().string()), entry.path().string());
    }
  }

  [[nodiscard]] bool has_file(const std::string& name) const { return files_.contains(name); }

  void add(const std::string& name) {
    if (built_in_.contains(name) || !seen_.insert(name).second)
      return;
    const auto found = files_.find(name);
    if (found == files_.end())
      throw base::Error("the kernel has no module " + name, 0,
                        "linux-image-cloud-amd64 of Debian 12 has what a guest needs");
    for (const std::string& needed : module_dependencies(base::read_file(found->second, kMostModuleBytes)))
      add(needed);
    ordered_.push_back(found->second);
  }

  std::vector<std::string> finish() && { return std::move(ordered_); }

 private:
  std::set<std::string> built_in_, seen_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> ordered_;
};

}  // namespace

std::string module_name(std::string_view file_or_name) {
  file_or_name = file_or_name.substr(file_or_name.find_last_of('/') + 1);
  std::string name(file_or_name.substr(0, file_or_name.find(".ko")));
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<std::string> module_dependencies(std::string_view file) {
  // .modinfo is a list of zero-terminated "key=value", and no other part of a module looks like this one.
  constexpr std::string_view kKey{"\0depends=", 9};
  const std::size_t begin = file.find(kKey);
  if (begin == std::string_view::npos)
    return {};
  const std::string_view rest = file.substr(begin + kKey.size());
  std::vector<std::string> names;
  for (const std::string& name : base::split(rest.substr(0, rest.find('\0')), ',', base::SplitEmpty::kSkip))
    names.push_back(module_name(name));
  return names;
}

std::string_view without_signature(std::string_view file) {
  constexpr std::string_view kMark = "~Module signature appended~\n";
  // In front of the mark: 8 bytes on what kind it is, then its length, the high byte first.
  constexpr std::size_t kHeader = 12;
  if (!file.ends_with(kMark) || file.size() < kMark.size() + kHeader)
    return file;
  const std::string_view rest = file.substr(0, file.size() - kMark.size() - kHeader);
  std::size_t length = 0;
  for (const char byte : file.substr(rest.size() + 8, 4))
    length = length << 8U | static_cast<unsigned char>(byte);
  return length > rest.size() ? file : rest.substr(0, rest.size() - length);
}

bool has_module(const std::string& directory, const std::string& name) {
  return Resolver(directory).has_file(name);
}

std::vector<std::string> modules_in_order(const std::string& directory,
                                          const std::vector<std::string>& wanted) {
  Resolver resolver(directory);
  for (const std::string& name : wanted)
    resolver.add(name);
  return std::move(resolver).finish();
}

}  // namespace trine::hvm
