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
#include "layout.h"

namespace trine::images {
namespace {

class FileOfDirectory : public LowerFile {
 public:
  FileOfDirectory(base::UniqueFd file, const struct stat& status) : file_(std::move(file)) {
    mode = status.st_mode & 07777;
    uid = status.st_uid;
    gid = status.st_gid;
    size = static_cast<std::uint64_t>(status.st_size);
    mtime = status.st_mtim;
    read_xattrs();
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
  void read_xattrs() {
    std::string names(64 << 10, '\0');
    const ssize_t length = ::flistxattr(file_.get(), names.data(), names.size());
    names.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    std::string value(64 << 10, '\0');
    for (std::size_t at = 0; at < names.size(); at += std::char_traits<char>::length(&names[at]) + 1) {
      const ssize_t got = ::fgetxattr(file_.get(), &names[at], value.data(), value.size());
      if (got >= 0)
        xattrs.emplace_back(&names[at], value.substr(0, static_cast<std::size_t>(got)));
    }
  }

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
    mode = inode_.mode & 07777;
    uid = inode_.uid;
    gid = inode_.gid;
    size = inode_.size;
    mtime = inode_.mtime;
    xattrs = reader_.xattrs(inode_);
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

}  // namespace

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
