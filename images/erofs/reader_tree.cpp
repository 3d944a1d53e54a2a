#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "reader.h"

namespace trine::images::erofs {
namespace {

constexpr std::size_t kMaxEntries = 1 << 22;
constexpr int kMaxSymlinks = 40;  // as in the kernel

}  // namespace

/// One block of entries, which name each other's ends: all offsets are checked before any name is taken.
void Reader::parse_block(std::span<const char> block, std::vector<Entry>& into) const {
  if (block.size() < kDirent)
    fail("a directory has a block of " + std::to_string(block.size()) + " bytes");
  const std::size_t heads = get<std::uint16_t>(block, 8);
  const std::size_t count = heads / kDirent;
  if (count == 0 || heads % kDirent != 0 || heads > block.size())
    fail("a directory's block is malformed");
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = block.subspan(i * kDirent, kDirent);
    const std::size_t begin = get<std::uint16_t>(entry, 8);
    const std::size_t end = i + 1 < count ? get<std::uint16_t>(block, (i + 1) * kDirent + 8) : block.size();
    if (begin < heads || begin >= end || end > block.size())
      fail("a directory's entry is malformed");
    std::string name(block.data() + begin, end - begin);
    if (i + 1 == count)
      name.resize(std::min(name.find('\0'), name.size()));
    if (name.empty() || name.size() > kMaxName || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
      fail("a directory's entry has no valid name");
    if (!into.empty() && into.back().name >= name)
      fail("a directory is not sorted");
    into.push_back({.name = std::move(name),
                    .nid = get<std::uint64_t>(entry, 0),
                    .type = static_cast<FileType>(get<std::uint8_t>(entry, 10))});
  }
}

std::vector<Reader::Entry> Reader::list(const Inode& directory) const {
  if (directory.type != FileType::kDirectory)
    fail("inode " + std::to_string(directory.nid) + " is no directory");
  std::vector<Entry> entries;
  std::array<char, kBlock> block{};
  for (std::uint64_t offset = 0; offset < directory.size; offset += kBlock) {
    const std::size_t size = read(directory, offset, block);
    parse_block(std::span(block).first(size), entries);
    if (entries.size() > kMaxEntries)
      fail("a directory has more than 2^22 entries");
  }
  return entries;
}

std::optional<std::uint64_t> Reader::lookup(const Inode& directory, std::string_view name) const {
  const auto entries = list(directory);
  const auto found = std::ranges::lower_bound(entries, name, {}, &Entry::name);
  if (found == entries.end() || found->name != name)
    return std::nullopt;
  return found->nid;
}

std::optional<Reader::Inode> Reader::find(std::string_view path) const {
  std::vector<std::string> rest = base::split(path, '/', base::SplitEmpty::kSkip);
  std::ranges::reverse(rest);  // what is to be gone through next is at the end
  Inode current = inode(root_);
  int symlinks = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.back());
    rest.pop_back();
    if (current.type != FileType::kDirectory)
      return std::nullopt;
    const auto nid = part == "." ? current.nid : lookup(current, part);
    if (!nid)
      return std::nullopt;
    const Inode next = inode(*nid);
    if (next.type != FileType::kSymlink || rest.empty()) {
      current = next;
      continue;
    }
    if (++symlinks > kMaxSymlinks)
      return std::nullopt;
    const std::string text = target(next);
    auto parts = base::split(text, '/', base::SplitEmpty::kSkip);
    rest.insert(rest.end(), parts.rbegin(), parts.rend());
    if (text.starts_with('/'))
      current = inode(root_);
  }
  return current;
}

/// What verify() has met of an inode.
struct Reader::Seen {
  std::uint32_t names = 0;
  std::uint32_t links = 0;
};

/// What is to be found at an inode beside its place in the tree. `steps` is what all of them may take: no
/// chunk's entry is part of two maps.
void Reader::verify_content(const Inode& inode, std::uint64_t& steps) const {
  (void)xattrs(inode);
  if (inode.type == FileType::kSymlink)
    (void)target(inode);
  if (inode.type != FileType::kRegular)
    return;
  for (std::uint64_t offset = 0; offset < inode.size;) {
    const Piece piece = locate(inode, offset);
    if (piece.at && (*piece.at > size_ || piece.size > size_ - *piece.at))
      fail("the data of inode " + std::to_string(inode.nid) + " lie outside of it");
    offset += piece.size;
    if (steps-- == 0)
      fail("its files have more chunks than it has room for");
  }
}

std::uint64_t Reader::verify() const {
  std::unordered_map<std::uint64_t, Seen> seen;
  std::uint64_t steps = size_ / 4;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> open{{root_, root_}};  // directories and their parents
  while (!open.empty()) {
    const auto [nid, parent] = open.back();
    open.pop_back();
    const Inode directory = inode(nid);
    std::uint32_t links = 2;
    for (const auto& entry : list(directory)) {
      if (steps-- == 0)
        fail("its directories have more entries than it has room for");
      if (entry.name == "." || entry.name == "..") {
        if (entry.nid != (entry.name == "." ? nid : parent))
          fail("'" + entry.name + "' of a directory leads elsewhere");
        continue;
      }
      const Inode child = inode(entry.nid);
      if (child.type != entry.type)
        fail("the entry '" + entry.name + "' has another type than its inode");
      const bool is_directory = child.type == FileType::kDirectory;
      links += is_directory ? 1 : 0;
      auto [place, first] = seen.try_emplace(entry.nid);
      ++place->second.names;
      if (first) {
        place->second.links = is_directory ? 1 : child.links;
        verify_content(child, steps);
        if (is_directory)
          open.emplace_back(entry.nid, nid);
      } else if (is_directory) {
        fail("the directory '" + entry.name + "' has two names");
      }
    }
    if (directory.links != links)
      fail("inode " + std::to_string(nid) + " has another count of links than of directories in it");
  }
  for (const auto& [nid, count] : seen) {
    if (count.links != count.names)
      fail("inode " + std::to_string(nid) + " has another count of links than of names");
  }
  if (seen.size() + 1 != inodes_)
    fail("it has another number of inodes than it says");
  return inodes_;
}

}  // namespace trine::images::erofs
