#include "erofs_layer.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "lower_file.h"

namespace trine::images {
namespace {

using erofs::Attributes;
using erofs::FileType;
using erofs::Node;
using erofs::Writer;

constexpr int kMaxSymlinks = 40;  // as in the kernel
constexpr const char* kOpaqueName = "trusted.overlay.opaque";

Attributes attributes_of(const TarEntry& entry) {
  Attributes attributes{.mode = static_cast<std::uint16_t>(entry.mode & 07777),
                        .uid = entry.uid,
                        .gid = entry.gid,
                        .mtime = entry.mtime};
  for (const auto& xattr : entry.xattrs) {
    if (keeps_xattr(xattr.first))
      attributes.xattrs.push_back(xattr);
  }
  return attributes;
}

Attributes attributes_of(const LowerAttributes& lower) {
  return {.mode = static_cast<std::uint16_t>(lower.mode),
          .uid = lower.uid,
          .gid = lower.gid,
          .mtime = lower.mtime,
          .xattrs = lower.xattrs};
}

}  // namespace

ErofsLayer::ErofsLayer(int fd, std::string name, std::vector<std::string> lower, std::span<const char> uuid)
    : writer_(fd, std::move(name), uuid), lower_(std::move(lower)) {}

/// A directory that only a path names: as it is below, for the overlay shows what the topmost layer says.
Node ErofsLayer::make_implied(Node parent, const std::string& name, const std::string& path) {
  depends_on_lower_ = depends_on_lower_ || !lower_.empty();
  const auto below = find_lower_directory(lower_, path);
  return writer_.add_directory(parent, name, below ? attributes_of(*below) : Attributes{.mode = 0755});
}

/// A path to a directory: symlinks lead within the layer, ".." stops at its root. What is missing is made, or
/// is nothing.
std::optional<Node> ErofsLayer::try_resolve(const std::string& path, bool make) {
  std::vector<std::string> rest = base::split(path, '/', base::SplitEmpty::kSkip);
  std::ranges::reverse(rest);  // what is to be gone through next is at the end
  Node current = Writer::kRoot;
  std::string at;  // its path
  for (int symlinks = 0; !rest.empty();) {
    const std::string part = std::move(rest.back());
    rest.pop_back();
    if (part == ".")
      continue;
    if (part == "..") {
      current = writer_.parent(current);
      at.erase(std::min(at.find_last_of('/'), at.size()));
      continue;
    }
    const auto child = writer_.find(current, part);
    if (!child) {
      if (!make)
        return std::nullopt;
      at += "/" + part;
      current = make_implied(current, part, at);
    } else if (writer_.type(*child) == FileType::kDirectory) {
      at += "/" + part;
      current = *child;
    } else if (writer_.type(*child) == FileType::kSymlink && ++symlinks <= kMaxSymlinks) {
      const std::string& target = writer_.target(*child);
      const auto parts = base::split(target, '/', base::SplitEmpty::kSkip);
      rest.insert(rest.end(), parts.rbegin(), parts.rend());
      if (target.starts_with('/')) {
        current = Writer::kRoot;
        at.clear();
      }
    } else {
      return std::nullopt;
    }
  }
  return current;
}

Node ErofsLayer::make_directories(const std::string& path) {
  if (const auto directory = try_resolve(path, true))
    return *directory;
  throw base::Error("cannot make the directory " + path +
                    " of the layer: what is there is no directory, or leads round in a circle of links");
}

/// Most members stand in the same directory as the one before.
ErofsLayer::Place ErofsLayer::locate(const std::string& path) {
  auto [directory, name] = split_path(path);
  if (name.empty() || name == "..")
    throw base::Error("the layer has a member with the path '" + path + "'");
  if (!parent_ || parent_path_ != directory) {
    parent_ = make_directories(directory);
    parent_path_ = directory;
  }
  return {.parent = *parent_, .name = std::move(name)};
}

void ErofsLayer::write(const TarEntry& entry, TarReader& reader) {
  if (entry.type == TarType::kOther)
    return;
  const std::string path = clean_path(entry.path);
  const Attributes attributes = attributes_of(entry);
  if (path.empty())
    return writer_.set_attributes(Writer::kRoot, attributes);
  if (auto whiteout = parse_whiteout(path)) {
    if (whiteout->hidden.empty()) {
      opaque_.insert(whiteout->directory);
    } else {
      whiteouts_.insert(whiteout->hidden);
    }
    return;
  }
  const Place place = locate(path);
  // What gives way may be what the next path would lead through.
  if (writer_.find(place.parent, place.name))
    parent_.reset();
  const auto data = [&](std::span<char> into) { return reader.read_data(into); };
  switch (entry.type) {
    case TarType::kFile:
      writer_.add_file(place.parent, place.name, attributes, entry.size, data,
                       entry.sparse ? &*entry.sparse : nullptr);
      break;
    case TarType::kHardlink:
      write_hardlink(place, path, entry);
      break;
    case TarType::kDirectory:
      write_directory(place, entry);
      return;
    case TarType::kSymlink:
      writer_.add_symlink(place.parent, place.name, attributes, entry.link);
      break;
    case TarType::kFifo:
      writer_.add_fifo(place.parent, place.name, attributes);
      break;
    default:
      writer_.add_device(place.parent, place.name, attributes,
                         entry.type == TarType::kBlock ? FileType::kBlockDevice : FileType::kCharacter,
                         entry.major, entry.minor);
  }
}

/// A directory stays when it is named again, with what is in it. Anything else gives way, and with a symlink
/// the meaning of paths.
void ErofsLayer::write_directory(const Place& place, const TarEntry& entry) {
  const auto there = writer_.find(place.parent, place.name);
  if (there && writer_.type(*there) == FileType::kDirectory)
    return writer_.set_attributes(*there, attributes_of(entry));
  writer_.add_directory(place.parent, place.name, attributes_of(entry));
}

void ErofsLayer::write_hardlink(const Place& place, const std::string& path, const TarEntry& entry) {
  const std::string target = clean_path(entry.link);
  const auto [directory, name] = split_path(target);
  const auto parent = try_resolve(directory, false);
  auto existing = parent ? writer_.find(*parent, name) : std::nullopt;
  // A link to a file of a layer below: that file comes up into this one.
  if (!existing)
    existing = copy_up(target);
  if (!existing)
    throw base::Error("cannot make the hardlink " + path + " to " + target +
                      " of the layer: there is no such file");
  writer_.link(place.parent, place.name, *existing);
}

/// Brings a regular file from the layers below into this one, with its owner, mode, time and attributes.
std::optional<Node> ErofsLayer::copy_up(const std::string& path) {
  const auto file = find_lower_file(lower_, path);
  if (!file)
    return std::nullopt;
  depends_on_lower_ = true;
  const auto [directory, name] = split_path(path);
  return writer_.add_file(make_directories(directory), name, attributes_of(*file), file->size,
                          [&](std::span<char> into) { return file->read(into); });
}

/// Where the layer has a file on the way, that hides all below it already.
void ErofsLayer::apply_whiteout(const std::string& path) {
  const auto [directory, name] = split_path(path);
  const auto parent = try_resolve(directory, true);
  if (!parent)
    return;
  const auto there = writer_.find(*parent, name);
  if (!there) {
    writer_.add_device(*parent, name, {}, FileType::kCharacter, 0, 0);
  } else if (writer_.type(*there) == FileType::kDirectory) {
    // The layer has its own there; a directory hides that of the layers below, and their files in it.
    writer_.set_xattr(*there, kOpaqueName, "y");
  }
}

void ErofsLayer::finish() {
  for (const auto& path : whiteouts_)
    apply_whiteout(path);
  for (const auto& path : opaque_) {
    if (const auto directory = try_resolve(path, true))
      writer_.set_xattr(*directory, kOpaqueName, "y");
  }
  writer_.finish();
}

}  // namespace trine::images
