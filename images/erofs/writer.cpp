#include "writer.h"

#include <algorithm>

#include "base/error.h"
#include "tree.h"

namespace trine::images::erofs {
namespace {

constexpr std::uint64_t kMaxChunks = 1 << 16;
constexpr std::uint32_t kMaxChunkBits = 31;
constexpr std::size_t kMaxTarget = 4096;

/// A type's bits in a mode. Source: inode(7).
constexpr std::uint16_t mode_bits(FileType type) {
  switch (type) {
    case FileType::kRegular:
      return 0100000;
    case FileType::kDirectory:
      return 0040000;
    case FileType::kCharacter:
      return 0020000;
    case FileType::kBlockDevice:
      return 0060000;
    case FileType::kFifo:
      return 0010000;
    case FileType::kSocket:
      return 0140000;
    case FileType::kSymlink:
      return 0120000;
    case FileType::kUnknown:
      break;
  }
  return 0;
}

/// As the kernel's new_encode_dev() has it.
std::uint32_t encode_device(std::uint32_t major, std::uint32_t minor) {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xffU) << 12);
}

}  // namespace

Writer::Writer(int fd, std::string name, std::span<const char> uuid)
    : output_(fd, name), name_(std::move(name)) {
  std::ranges::copy(uuid.first(std::min(uuid.size(), uuid_.size())), uuid_.begin());
  const Node root = new_node(FileType::kDirectory);
  directories_[nodes_[root].detail]->attributes.mode = 0755;
}

Writer::~Writer() = default;

void Writer::fail(const std::string& what) const {
  throw base::Error(name_ + " " + what);
}

std::optional<Node> Writer::find(Node directory, std::string_view name) const {
  const auto& entries = directories_[nodes_[directory].detail]->entries;
  const auto found = entries.find(name);
  return found == entries.end() ? std::nullopt : std::optional(found->second);
}

Node Writer::parent(Node directory) const {
  return directories_[nodes_[directory].detail]->parent;
}

const std::string& Writer::target(Node symlink) const {
  return targets_[nodes_[symlink].detail];
}

Node Writer::new_node(FileType type) {
  if (nodes_.size() == kMaxNodes)
    fail("has more than " + std::to_string(kMaxNodes) + " files");
  NodeInfo info{.type = type};
  if (type == FileType::kDirectory) {
    info.detail = static_cast<std::uint32_t>(directories_.size());
    directories_.push_back(std::make_unique<Directory>());
  }
  nodes_.push_back(info);
  return static_cast<Node>(nodes_.size() - 1);
}

void Writer::insert(Node parent, std::string_view name, Node node) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    fail("has an entry with the name '" + std::string(name) + "'");
  }
  if (name.size() > kMaxName)
    fail("has an entry with a name of " + std::to_string(name.size()) + " bytes: 255 are the most");
  remove(parent, name);
  directories_[nodes_[parent].detail]->entries.emplace(name, node);
  ++nodes_[node].links;
}

void Writer::link(Node parent, std::string_view name, Node existing) {
  if (nodes_[existing].type == FileType::kDirectory)
    fail("has a hardlink to a directory: '" + std::string(name) + "'");
  if (find(parent, name) == existing)
    return;
  if (nodes_[existing].links == 0xffff)
    fail("has a file with more than 65535 hardlinks: '" + std::string(name) + "'");
  insert(parent, name, existing);
  nodes_[existing].changed = true;
}

/// Takes a name away; a directory with all below it, without recursion, for it may be deep.
void Writer::remove(Node parent, std::string_view name) {
  auto& entries = directories_[nodes_[parent].detail]->entries;
  const auto found = entries.find(name);
  if (found == entries.end())
    return;
  std::vector<Node> gone{found->second};
  entries.erase(found);
  while (!gone.empty()) {
    const Node node = gone.back();
    gone.pop_back();
    drop(node);
    if (nodes_[node].type != FileType::kDirectory)
      continue;
    Directory& directory = *directories_[nodes_[node].detail];
    for (const auto& [child, below] : directory.entries)
      gone.push_back(below);
    directory.entries.clear();
    directory.gone = true;
  }
}

void Writer::drop(Node node) {
  --nodes_[node].links;
  nodes_[node].changed = true;
}

Node Writer::add_directory(Node parent, std::string_view name, const Attributes& attributes) {
  const Node node = new_node(FileType::kDirectory);
  directories_[nodes_[node].detail]->parent = parent;
  insert(parent, name, node);
  set_attributes(node, attributes);
  return node;
}

void Writer::set_attributes(Node directory, const Attributes& attributes) {
  directories_[nodes_[directory].detail]->attributes = attributes;
  if (!build_time_)
    build_time_ = attributes.mtime;
}

void Writer::set_xattr(Node directory, const std::string& name, const std::string& value) {
  Xattrs& xattrs = directories_[nodes_[directory].detail]->attributes.xattrs;
  std::erase_if(xattrs, [&](const auto& xattr) { return xattr.first == name; });
  xattrs.emplace_back(name, value);
}

Node Writer::add_symlink(Node parent, std::string_view name, const Attributes& attributes,
                         std::string_view target) {
  if (target.empty() || target.size() >= kMaxTarget)
    fail("has a symlink with a target of " + std::to_string(target.size()) + " bytes: '" + std::string(name) +
         "'");
  Body body{.type = FileType::kSymlink, .size = target.size()};
  if (target.size() <= kMaxInlineData) {
    body.layout = Layout::kInline;
    body.behind = target;
  } else {
    body.detail = output_.begin_data(1);
    std::ranges::copy(target, output_.room().begin());
    output_.wrote(target.size());
  }
  const Node node = add_inode(parent, name, attributes, body);
  nodes_[node].detail = static_cast<std::uint32_t>(targets_.size());
  targets_.emplace_back(target);
  return node;
}

Node Writer::add_device(Node parent, std::string_view name, const Attributes& attributes, FileType type,
                        std::uint32_t major, std::uint32_t minor) {
  return add_inode(parent, name, attributes, {.type = type, .detail = encode_device(major, minor)});
}

Node Writer::add_fifo(Node parent, std::string_view name, const Attributes& attributes) {
  return add_inode(parent, name, attributes, {.type = FileType::kFifo});
}

void Writer::take_data(std::uint64_t size, const DataSource& data) {
  while (size > 0) {
    const auto room = output_.room();
    const std::size_t got = data(room.first(std::min<std::uint64_t>(size, room.size())));
    if (got == 0)
      throw base::Error("cannot write " + name_ + ": a file's data end too early");
    output_.wrote(got);
    size -= got;
  }
}

/// Whole blocks go to the data; a short rest stands with the inode, where it costs no block of its own.
Node Writer::add_file(Node parent, std::string_view name, const Attributes& attributes, std::uint64_t size,
                      const DataSource& data, const Extents* extents) {
  const bool holes = extents != nullptr && size > 0 && *extents != Extents{{0, size}};
  if (holes)
    return add_sparse_file(parent, name, attributes, size, data, *extents);
  const std::size_t rest = size % kBlock;
  const bool with_inode = rest > 0 && rest <= kMaxInlineData;
  const std::uint64_t in_blocks = with_inode ? size - rest : size;
  Body body{.type = FileType::kRegular, .size = size};
  if (in_blocks > 0) {
    body.detail = output_.begin_data(round_up(in_blocks, kBlock) / kBlock);
    take_data(in_blocks, data);
  }
  std::array<char, kMaxInlineData> tail;
  if (with_inode) {
    for (std::size_t have = 0; have < rest;) {
      const std::size_t got = data(std::span(tail).subspan(have, rest - have));
      if (got == 0)
        throw base::Error("cannot write " + name_ + ": a file's data end too early");
      have += got;
    }
    body.layout = Layout::kInline;
    body.behind = std::span(tail).first(rest);
  }
  return add_inode(parent, name, attributes, body);
}

/// Chunks are as small as a map of 2^16 allows: what is in one is stored whole, its holes are the image
/// file's.
Node Writer::add_sparse_file(Node parent, std::string_view name, const Attributes& attributes,
                             std::uint64_t size, const DataSource& data, const Extents& extents) {
  std::uint32_t bits = 0;
  while (bits < kMaxChunkBits && ((size >> (kBlockBits + bits)) >= kMaxChunks))
    ++bits;
  const std::uint64_t chunk = std::uint64_t{kBlock} << bits;
  if (size / chunk >= kMaxChunks)
    fail("has a file of " + std::to_string(size) + " bytes: '" + std::string(name) + "'");
  std::uint64_t end = 0;
  for (const auto& [begin, length] : extents) {
    if (begin < end || begin > size || length > size - begin)
      fail("has a sparse file whose pieces overlap or lie outside: '" + std::string(name) + "'");
    end = begin + length;
  }
  std::vector<char> map(4 * (round_up(size, chunk) / chunk), '\xff');
  std::uint64_t current = kMaxChunks;  // the chunk that is being filled
  std::uint64_t filled = 0;            // of it
  for (const auto& [begin, length] : extents) {
    for (std::uint64_t offset = begin; offset < begin + length;) {
      const std::uint64_t index = offset / chunk;
      if (index != current) {
        const std::uint64_t here = std::min(chunk, size - index * chunk);
        put<std::uint32_t>(map, 4 * index, output_.begin_data(round_up(here, kBlock) / kBlock));
        current = index;
        filled = 0;
      }
      output_.skip(offset - index * chunk - filled);
      const std::uint64_t count = std::min(begin + length, (index + 1) * chunk) - offset;
      take_data(count, data);
      offset += count;
      filled = offset - index * chunk;
    }
  }
  chunked_ = true;
  return add_inode(parent, name, attributes,
                   {.type = FileType::kRegular,
                    .layout = Layout::kChunks,
                    .size = size,
                    .detail = bits,
                    .behind = map,
                    .alignment = 4});
}

Node Writer::add_inode(Node parent, std::string_view name, const Attributes& attributes, const Body& body) {
  const Node node = new_node(body.type);
  place_inode(node, attributes, body);
  insert(parent, name, node);
  return node;
}

bool Writer::needs_extended(const Attributes& attributes, const Body& body) const {
  constexpr std::uint32_t kMax16 = 0xffff;
  return attributes.uid > kMax16 || attributes.gid > kMax16 || body.links > kMax16 ||
         body.size > 0xffffffff || attributes.mtime.tv_sec != build_time_->tv_sec ||
         attributes.mtime.tv_nsec != build_time_->tv_nsec;
}

std::vector<char> Writer::encode(Node node, const Attributes& attributes, const Body& body,
                                 std::span<const char> xattrs) const {
  const bool extended = nodes_[node].extended;
  const std::size_t head = extended ? inode::kExtendedSize : inode::kCompactSize;
  const std::size_t begin = round_up(head + xattrs.size(), body.alignment);
  std::vector<char> bytes(begin + body.behind.size());
  put(bytes, inode::kFormat,
      static_cast<std::uint16_t>((extended ? 1U : 0U) | static_cast<std::uint16_t>(body.layout) << 1));
  // The count is 0 without attributes, else 1 for the header and 1 for every 4 bytes behind it.
  if (!xattrs.empty())
    put(bytes, inode::kXattrCount, static_cast<std::uint16_t>((xattrs.size() - kXattrHeader) / 4 + 1));
  put(bytes, inode::kMode, static_cast<std::uint16_t>(mode_bits(body.type) | (attributes.mode & 07777)));
  put(bytes, inode::kUnion, body.detail);
  put(bytes, inode::kNumber, static_cast<std::uint32_t>(node + 1));
  if (extended) {
    put(bytes, inode::kSize, body.size);
    put(bytes, inode::kUid, attributes.uid);
    put(bytes, inode::kGid, attributes.gid);
    put(bytes, inode::kTime, static_cast<std::uint64_t>(attributes.mtime.tv_sec));
    put(bytes, inode::kNanoseconds, static_cast<std::uint32_t>(attributes.mtime.tv_nsec));
    put(bytes, inode::kLinks, body.links);
  } else {
    put(bytes, inode::kSize, static_cast<std::uint32_t>(body.size));
    put(bytes, inode::kCompactUid, static_cast<std::uint16_t>(attributes.uid));
    put(bytes, inode::kCompactGid, static_cast<std::uint16_t>(attributes.gid));
    put(bytes, inode::kCompactLinks, static_cast<std::uint16_t>(body.links));
  }
  std::ranges::copy(xattrs, bytes.begin() + static_cast<std::ptrdiff_t>(head));
  std::ranges::copy(body.behind, bytes.begin() + static_cast<std::ptrdiff_t>(begin));
  return bytes;
}

/// Returns how far behind the inode's beginning `body.behind` stands.
std::size_t Writer::place_inode(Node node, const Attributes& attributes, const Body& body) {
  if (!build_time_)
    build_time_ = attributes.mtime;
  NodeInfo& info = nodes_[node];
  info.extended = needs_extended(attributes, body);
  const auto xattrs = encode_xattrs(attributes.xattrs, false);
  const auto bytes = encode(node, attributes, body, xattrs.bytes);
  info.offset = output_.place(bytes.size(), bytes);
  const std::uint64_t head = info.extended ? inode::kExtendedSize : inode::kCompactSize;
  for (const auto& [entry, offset] : xattrs.own)
    remember_xattr(entry, info.offset + head + offset);
  return bytes.size() - body.behind.size();
}

}  // namespace trine::images::erofs
