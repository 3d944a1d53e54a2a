#include "removal.h"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

namespace trine::cgroups {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

void collect(const std::string& directory, int depth, std::vector<std::string>& found) {
  // The kernel refuses paths longer than PATH_MAX; a container that nests groups gets no further than that.
  constexpr int kMaxDepth = 1000;
  const std::unique_ptr<DIR, CloseDirectory> entries(depth < kMaxDepth ? ::opendir(directory.c_str())
                                                                       : nullptr);
  while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {
    if (entry->d_type != DT_DIR || std::strcmp(entry->d_name, ".") == 0 ||
        std::strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    collect(directory + "/" + entry->d_name, depth + 1, found);
  }
  found.push_back(directory);
}

bool remove_one(const std::string& directory) {
  constexpr auto kPatience = std::chrono::seconds(2);
  constexpr auto kLongestPause = std::chrono::microseconds(20'000);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  auto pause = std::chrono::microseconds(50);
  while (::rmdir(directory.c_str()) != 0) {
    if (errno == ENOENT)
      return true;
    if (errno != EBUSY || std::chrono::steady_clock::now() > deadline)
      return false;
    // The kernel tells nobody when a version 1 group falls empty.
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  return true;
}

}  // namespace

std::vector<std::string> groups_below(const std::string& directory) {
  std::vector<std::string> found;
  collect(directory, 0, found);
  return found;
}

bool remove_directory_tree(const std::string& directory) {
  // Most groups have none below them.
  if (::rmdir(directory.c_str()) == 0 || errno == ENOENT)
    return true;
  for (const auto& group : groups_below(directory)) {
    if (!remove_one(group))
      return false;
  }
  return true;
}

}  // namespace trine::cgroups
