// Round trips: what the bytes say is written as an image, and read again. Each must come back as it went in.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "erofs/reader.h"
#include "erofs/writer.h"

namespace {

using namespace trine::images::erofs;

/// The fuzzer's bytes as numbers and texts.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  [[nodiscard]] bool empty() const { return left_ == 0; }
  std::uint8_t byte() {
    if (left_ == 0)
      return 0;
    --left_;
    return *data_++;
  }
  std::uint32_t number() {
    std::uint32_t value = byte();
    value |= static_cast<std::uint32_t>(byte()) << 8;
    return value;
  }
  std::string text(std::size_t size) {
    std::string text;
    while (text.size() < size && left_ > 0)
      text += static_cast<char>(byte());
    return text;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

void require(bool holds) {
  if (!holds)
    std::abort();
}

Attributes attributes_of(Bytes& bytes) {
  Attributes attributes{.mode = static_cast<std::uint16_t>(bytes.number() & 07777)};
  const auto what = bytes.byte();
  if ((what & 1) != 0)
    attributes.uid = bytes.number() * 7;
  if ((what & 2) != 0)
    attributes.mtime = {.tv_sec = static_cast<time_t>(bytes.number()) - 1000, .tv_nsec = bytes.byte()};
  for (int i = (what >> 2) & 3; i > 0; --i)
    attributes.xattrs.emplace_back("user." + std::to_string(i), bytes.text(bytes.number() % 700));
  return attributes;
}

struct Written {
  Node node;
  Attributes attributes;
  std::string content;
};

DataSource source_of(const std::string& text) {
  return [&text, at = std::size_t{0}](std::span<char> into) mutable {
    const std::size_t size = std::min(into.size(), text.size() - at);
    text.copy(into.data(), size, at);
    at += size;
    return size;
  };
}

/// One entry of the image; what cannot be written is an Error, and then nothing is there.
void add(Writer& writer, Bytes& bytes, std::map<std::string, Written>& files) {
  const auto kind = bytes.byte() % 6;
  const Attributes attributes = attributes_of(bytes);
  const std::string name = bytes.text(1 + bytes.byte() % 4);
  Node parent = Writer::kRoot;
  std::string path = name;
  if (kind != 5) {
    if (const auto dir = writer.find(parent, "dir"); dir && (bytes.byte() & 1) != 0) {
      parent = *dir;
      path = "dir/" + name;
    }
  }
  if (name == "dir")
    return;
  std::string content;
  switch (kind) {
    case 0:
    case 1: {
      content = std::string(bytes.number() % 10'000, 'x') + bytes.text(bytes.byte());
      if (kind == 0) {
        writer.add_file(parent, name, attributes, content.size(), source_of(content));
        break;
      }
      const std::uint64_t hole = bytes.number();
      const Extents extents{{hole, content.size()}};
      writer.add_file(parent, name, attributes, hole + content.size(), source_of(content), &extents);
      content.insert(0, hole, '\0');
      break;
    }
    case 2:
      content = bytes.text(bytes.number() % 5000);
      writer.add_symlink(parent, name, attributes, content);
      break;
    case 3:
      if (files.empty())
        return;
      writer.link(parent, name, files.begin()->second.node);
      files[path] = files.begin()->second;
      return;
    case 4:
      writer.remove(parent, name);
      files.erase(path);
      return;
    default:
      writer.add_directory(Writer::kRoot, "dir", attributes);
      std::erase_if(files, [](const auto& file) { return file.first.starts_with("dir/"); });
      return;
  }
  files[path] = {.node = *writer.find(parent, name), .attributes = attributes, .content = content};
}

void check(const Reader& reader, const std::string& path, const Written& file) {
  const auto inode = reader.find(path);
  require(inode.has_value());
  require((inode->mode & 07777) == file.attributes.mode && inode->uid == file.attributes.uid);
  require(inode->mtime.tv_sec == file.attributes.mtime.tv_sec &&
          inode->mtime.tv_nsec == file.attributes.mtime.tv_nsec);
  std::string content(inode->size, '\0');
  require(reader.read(*inode, 0, content) == content.size() && content == file.content);
  auto xattrs = reader.xattrs(*inode);
  for (const auto& wanted : file.attributes.xattrs)
    require(std::erase(xattrs, wanted) == 1);
  require(xattrs.empty());
}

int memory_file() {
  static const int kFd = ::memfd_create("erofs", MFD_CLOEXEC);
  require(kFd >= 0 && ::ftruncate(kFd, 0) == 0);
  return kFd;
}

void round_trip(Bytes bytes) {
  const int fd = memory_file();
  std::map<std::string, Written> files;
  Writer writer(fd, "fuzz");
  while (!bytes.empty()) {
    try {
      add(writer, bytes, files);
    } catch (const trine::base::Error&) {
    }
  }
  writer.finish();
  const Reader reader(fd, "fuzz");
  reader.verify();
  for (const auto& [path, file] : files)
    check(reader, path, file);
}

/// The bytes as an image: any are an error or are read, and it ends.
void read_damaged(std::string_view bytes) {
  const int fd = memory_file();
  require(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  try {
    const Reader reader(fd, "fuzz");
    reader.verify();
  } catch (const trine::base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  if ((data[0] & 1) != 0) {
    round_trip(Bytes(data + 1, size - 1));
  } else {
    read_damaged({reinterpret_cast<const char*>(data + 1), size - 1});
  }
  return 0;
}
