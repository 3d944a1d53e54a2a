#include "lower_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "erofs/reader.h"
#include "layer_sink.h"
#include "layout.h"

namespace trine::images {
namespace {

std::vector<std::pair<std::string, std::string>> xattrs_of(int fd) {
  std::vector<std::pair<std::string, std::string>> xattrs;
  std::string names(64 << 10, '\0');
  const ssize_t length = ::flistxattr(fd, names.data(), names.size());
  names.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  std::string value(64 << 10, '\0');
  for (std::size_t at = 0; at < names.size(); at += std::char_traits<char>::length(&names[at]) + 1) {
    const ssize_t got = ::fgetxattr(fd, &names[at], value.data(), value.size());
    if (got >= 0)
      xattrs.emplace_back(&names[at], value.substr(0, static_cast<std::size_t>(got)));
  }
  return xattrs;
}

LowerAttributes attributes_of(int fd, const struct stat& status) {
  return {.mode = status.st_mode & 07777U,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .mtime = status.st_mtim,
          .xattrs = xattrs_of(fd)};
}

LowerAttributes attributes_of(const erofs::Reader& reader, const erofs::Reader::Inode& inode) {
  return {.mode = inode.mode & 07777U,
          .uid = inode.uid,
          .gid = inode.gid,
          .mtime = inode.mtime,
          .xattrs = reader.xattrs(inode)};
}

class FileOfDirectory : public LowerFile {
 public:
  FileOfDirectory(base::UniqueFd file, const struct stat& status) : file_(std::move(file)) {
    static_cast<LowerAttributes&>(*this) = attributes_of(file_.get(), status);
    size = static_cast<std::uint64_t>(status.st_size);
  }

  std::size_t read(std::span<char> into) override {
    ssize_t got = 0;
    do {
      got = ::read(file_.get(), into.data(), into.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0)
      base::throw_errno("cannot read a file of a layer below");
    return static_cast<std::size_t>(got);
  }

 private:
  base::UniqueFd file_;
};

class FileOfErofs : public LowerFile {
 public:
  FileOfErofs(base::UniqueFd image, const std::string& name, const std::string& path)
      : image_(std::move(image)), reader_(image_.get(), name) {
    const auto found = reader_.find(path);
    if (!found || found->type != erofs::FileType::kRegular)
      return;
    inode_ = *found;
    there_ = true;
    static_cast<LowerAttributes&>(*this) = attributes_of(reader_, inode_);
    size = inode_.size;
  }
  [[nodiscard]] bool there() const { return there_; }

  std::size_t read(std::span<char> into) override {
    const std::size_t got = reader_.read(inode_, offset_, into);
    offset_ += got;
    return got;
  }

 private:
  base::UniqueFd image_;
  erofs::Reader reader_;
  erofs::Reader::Inode inode_;
  bool there_ = false;
  std::uint64_t offset_ = 0;
};

std::unique_ptr<LowerFile> find_in_directory(const std::string& layer, const std::string& path) {
  const base::UniqueFd root = base::open_file(layer, O_PATH | O_DIRECTORY);
  base::UniqueFd file = base::try_open_in_root(root.get(), path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return nullptr;
  return std::make_unique<FileOfDirectory>(std::move(file), status);
}

/// What one layer says of a path.
struct Finding {
  bool there = false;
  std::optional<LowerAttributes> directory;  ///< when it is one
};

Finding look_in_directory(const std::string& layer, const std::string& path) {
  const base::UniqueFd root = base::open_file(layer, O_PATH | O_DIRECTORY);
  const base::UniqueFd file = base::try_open_in_root(root.get(), path, O_PATH | O_NOFOLLOW);
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0)
    return {};
  Finding finding{.there = true, .directory = {}};
  if (!S_ISDIR(status.st_mode))
    return finding;
  const base::UniqueFd directory = base::open_in_root(root.get(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  finding.directory = attributes_of(directory.get(), status);
  return finding;
}

Finding look_in_image(const std::string& layer, const std::string& path) {
  const base::UniqueFd image = base::open_file(layer, O_RDONLY);
  const erofs::Reader reader(image.get(), layer);
  const auto inode = reader.find(path);
  if (!inode)
    return {};
  Finding finding{.there = true, .directory = {}};
  if (inode->type == erofs::FileType::kDirectory)
    finding.directory = attributes_of(reader, *inode);
  return finding;
}

}  // namespace

std::optional<LowerAttributes> find_lower_directory(const std::vector<std::string>& layers,
                                                    const std::string& path) {
  for (const auto& layer : layers) {
    Finding finding =
        layer.ends_with(kErofsSuffix) ? look_in_image(layer, path) : look_in_directory(layer, path);
    if (!finding.there)
      continue;
    if (finding.directory)
      std::erase_if(finding.directory->xattrs, [](const auto& xattr) { return !keeps_xattr(xattr.first); });
    return std::move(finding.directory);
  }
  return std::nullopt;
}

std::unique_ptr<LowerFile> find_lower_file(const std::vector<std::string>& layers, const std::string& path) {
  for (const auto& layer : layers) {
    if (!layer.ends_with(kErofsSuffix)) {
      if (auto file = find_in_directory(layer, path))
        return file;
      continue;
    }
    auto file = std::make_unique<FileOfErofs>(base::open_file(layer, O_RDONLY), layer, path);
    if (file->there())
      return file;
  }
  return nullptr;
}

}  // namespace trine::images
