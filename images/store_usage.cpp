#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "images/store.h"
#include "layout.h"
#include "store_files.h"

namespace trine::images {
namespace {

namespace fs = std::filesystem;

std::uint64_t blocks_of(const std::string& path) {
  constexpr std::uint64_t kUnit = 512;  // of st_blocks, whatever the file system's own
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * kUnit : 0;
}

/// A file, or a directory with all in it. What goes away meanwhile is not counted.
std::uint64_t size_on_disk(const std::string& path) {
  std::uint64_t bytes = blocks_of(path);
  std::error_code error;
  for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error))
    bytes += blocks_of(entry->path());
  return bytes;
}

}  // namespace

StoreUsage Store::usage() const {
  StoreUsage usage;
  std::set<std::string> needed;
  for (const auto& hex : record_ids(root_)) {
    const auto record = read_record(root_, hex);
    if (!record)
      continue;
    ++usage.images;
    if (!names_of(root_, hex).empty())
      needed.insert(record->layers.begin(), record->layers.end());
  }
  for (const auto& layer : entries(root_ + "/layers")) {
    const std::uint64_t bytes = size_on_disk(root_ + "/layers/" + layer);
    ++usage.layers;
    usage.bytes += bytes;
    if (!needed.contains(layer))
      usage.reclaimable += bytes;
  }
  for (const auto& dead : entries(root_ + "/tmp"))
    usage.reclaimable += size_on_disk(root_ + "/tmp/" + dead);
  return usage;
}

std::string Store::layer_form() const {
  const std::string path = root_ + "/layer-form";
  if (::access(path.c_str(), R_OK) != 0)
    return {};
  const auto lines = base::split(base::read_file(path, 4096), '\n');
  return lines.size() < 2 ? std::string() : lines[0] + ": " + lines[1];
}

std::vector<std::string> Store::prune(bool all, const std::function<bool(const Image&)>& in_use) {
  std::vector<std::string> done;
  for (const auto& image : list()) {
    if ((!all && !image.names.empty()) || in_use(image))
      continue;
    const std::string hex = digest_hex(image.digest);
    const std::string file = root_ + "/images/" + hex + std::string(kRecordSuffix);
    const base::UniqueFd record(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!record || ::flock(record.get(), LOCK_EX | LOCK_NB) != 0)
      continue;  // an instance runs from it, or another removed it
    for (const auto& name : image.names) {
      if (::unlink((root_ + "/names/" + name_file(name)).c_str()) == 0)
        done.push_back("Untagged: " + name);
    }
    if (::unlink(file.c_str()) == 0)
      done.push_back("Deleted: " + image.id);
  }
  collect(root_);
  return done;
}

}  // namespace trine::images
