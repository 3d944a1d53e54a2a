#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"
#include "bytes.h"
#include "source.h"
#include "tar.h"

namespace trine::images {
namespace {

/// A directory of a stranger's: names are resolved inside it, and only regular files are opened.
class DirectoryFiles : public FileSet {
 public:
  explicit DirectoryFiles(const std::string& directory)
      : directory_(base::open_file(directory, O_PATH | O_DIRECTORY)) {}

  std::optional<Location> find(const std::string& path) override {
    base::UniqueFd fd = base::try_open_in_root(directory_.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) {
      if (errno == ENOENT || errno == ENOTDIR)
        return std::nullopt;
      base::throw_errno("cannot open " + path);
    }
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
      throw base::Error(path + " is no regular file");
    open_.push_back(std::move(fd));
    return Location{
        .fd = open_.back().get(), .offset = 0, .size = static_cast<std::uint64_t>(status.st_size)};
  }

 private:
  base::UniqueFd directory_;
  std::vector<base::UniqueFd> open_;
};

std::string plain(const std::string& path) {
  std::string result;
  for (const auto& part : base::split(path, '/', base::SplitEmpty::kSkip)) {
    if (part == ".")
      continue;
    if (part == "..") {
      const auto slash = result.find_last_of('/');
      result.erase(slash == std::string::npos ? 0 : slash);
      continue;
    }
    result += (result.empty() ? "" : "/") + part;
  }
  return result;
}

class ArchiveFiles : public FileSet {
 public:
  ArchiveFiles(base::UniqueFd file, std::uint64_t size, const std::string& name) : file_(std::move(file)) {
    FileRange bytes(file_.get(), 0, size, name);
    TarReader tar(bytes, name);
    constexpr std::size_t kMaxMembers = 100'000;
    while (const auto entry = tar.next()) {
      if (members_.size() > kMaxMembers)
        throw base::Error(name + " has more than 100000 members");
      const std::string path = plain(entry->path);
      if (entry->type == TarType::kFile && !entry->sparse) {
        members_[path] = {.location = {.fd = file_.get(), .offset = tar.position(), .size = entry->size}};
      } else if (entry->type == TarType::kSymlink) {
        const auto slash = path.find_last_of('/');
        members_[path].link =
            plain((slash == std::string::npos ? "" : path.substr(0, slash)) + "/" + entry->link);
      } else if (entry->type == TarType::kHardlink) {
        members_[path].link = plain(entry->link);
      }
    }
  }

  /// `docker save` writes a layer that two images share as a link.
  std::optional<Location> find(const std::string& path) override {
    std::string current = plain(path);
    constexpr int kMaxLinks = 16;
    for (int links = 0; links < kMaxLinks; ++links) {
      const auto found = members_.find(current);
      if (found == members_.end())
        return std::nullopt;
      if (found->second.link.empty())
        return found->second.location;
      current = found->second.link;
    }
    throw base::Error(path + " leads round in a circle of links");
  }

 private:
  struct Member {
    Location location;
    std::string link;
  };
  base::UniqueFd file_;
  std::map<std::string, Member> members_;
};

bool is_compressed(int fd) {
  std::array<unsigned char, 4> magic{};
  if (::pread(fd, magic.data(), magic.size(), 0) != static_cast<ssize_t>(magic.size()))
    return false;
  return (magic[0] == 0x1f && magic[1] == 0x8b) ||
         (magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd);
}

}  // namespace

std::unique_ptr<FileSet> open_directory(const std::string& directory) {
  return std::make_unique<DirectoryFiles>(directory);
}

std::unique_ptr<FileSet> open_archive(const std::string& file, const std::string& temporary) {
  base::UniqueFd fd = base::open_file(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw base::Error("cannot read " + file + ": it is no regular file", 0,
                      "an OCI layout in a directory is oci:DIR");
  }
  auto size = static_cast<std::uint64_t>(status.st_size);
  if (is_compressed(fd.get())) {
    FileRange packed(fd.get(), 0, size, file);
    const auto bytes = decompress(packed, file);
    base::UniqueFd unpacked = base::open_file(temporary, O_TMPFILE | O_RDWR, 0600);
    std::vector<char> buffer(1 << 20);
    size = 0;
    while (const std::size_t got = bytes->read(buffer)) {
      base::write_all(unpacked.get(), {buffer.data(), got}, "the unpacked " + file);
      size += got;
    }
    fd = std::move(unpacked);
  }
  return std::make_unique<ArchiveFiles>(std::move(fd), size, file);
}

}  // namespace trine::images
