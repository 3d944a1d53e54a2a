#include <algorithm>

#include "base/error.h"
#include "checksum.h"
#include "tree.h"
#include "writer.h"

// A directory's content names the inodes of its children, among them directories whose place is not known
// yet. So all are placed first, by their size, which the names alone give, and filled afterwards.

namespace trine::images::erofs {
namespace {

constexpr std::size_t kRootOffset = superblock::kOffset + superblock::kSize;  // behind the superblock

struct Entry {
  std::string_view name;
  Node node;
};

/// How many of the entries from `first` on fit into a block.
std::size_t fitting(std::span<const Entry> entries, std::size_t first) {
  std::size_t used = 0;
  std::size_t i = first;
  for (; i < entries.size(); ++i) {
    used += kDirent + entries[i].name.size();
    if (used > kBlock)
      break;
  }
  return i - first;
}

}  // namespace

/// Blocks of entries, sorted by their bytes; in each the fixed parts stand first and the names behind them.
/// Only the last may be short. Not `planned`: the size is right, the inodes are not.
std::vector<char> Writer::directory_content(Node node, bool planned) const {
  const Directory& directory = *directories_[nodes_[node].detail];
  std::vector<Entry> entries{{".", node}, {"..", directory.parent}};
  for (const auto& [name, child] : directory.entries)
    entries.push_back({name, child});
  std::ranges::sort(entries, {}, &Entry::name);
  std::vector<char> content;
  for (std::size_t first = 0; first < entries.size();) {
    const auto block = std::span(entries).subspan(first, fitting(entries, first));
    content.resize(round_up(content.size(), kBlock));
    std::size_t at = content.size();
    std::size_t name_offset = kDirent * block.size();
    content.resize(at + name_offset);
    for (const auto& [name, child] : block) {
      const NodeInfo& info = nodes_[child];
      put<std::uint64_t>(content, at, planned ? info.offset >> kSlotBits : 0);
      put(content, at + 8, static_cast<std::uint16_t>(name_offset));
      put(content, at + 10, static_cast<std::uint8_t>(info.type));
      content.insert(content.end(), name.begin(), name.end());
      at += kDirent;
      name_offset += name.size();
    }
    first += block.size();
  }
  return content;
}

void Writer::plan_directory(Node node) {
  Directory& directory = *directories_[nodes_[node].detail];
  for (const auto& [name, child] : directory.entries)
    directory.links += nodes_[child].type == FileType::kDirectory ? 1 : 0;
  const auto content = directory_content(node, false);
  const std::size_t rest = content.size() % kBlock;
  const std::size_t behind = rest <= kMaxInlineData ? rest : 0;
  directory.in_blocks = content.size() - behind;
  if (directory.in_blocks > 0)
    directory.first_block = output_.reserve(round_up(directory.in_blocks, kBlock) / kBlock);
  if (node == kRoot)
    return;
  const std::vector<char> empty(behind);
  const Body body{.type = FileType::kDirectory,
                  .layout = behind > 0 ? Layout::kInline : Layout::kPlain,
                  .links = directory.links,
                  .size = content.size(),
                  .detail = directory.first_block,
                  .behind = empty};
  directory.inline_offset = place_inode(node, directory.attributes, body);
}

void Writer::write_directory(Node node) {
  const Directory& directory = *directories_[nodes_[node].detail];
  const auto content = directory_content(node, true);
  const auto [blocks, behind] = std::pair(std::span(content).first(directory.in_blocks),
                                          std::span(content).subspan(directory.in_blocks));
  if (!blocks.empty())
    output_.patch(std::uint64_t{directory.first_block} * kBlock, blocks);
  if (!behind.empty() && node != kRoot)
    output_.patch(nodes_[node].offset + directory.inline_offset, behind);
}

void Writer::put_superblock(std::span<char> block) const {
  namespace sb = superblock;
  const auto field = block.subspan(sb::kOffset);
  std::uint64_t inodes = 0;
  for (const auto& info : nodes_)
    inodes += info.links > 0 ? 1 : 0;
  put(field, 0, sb::kMagic);
  put(field, sb::kCompatible, sb::kHasChecksum | sb::kHasMtime);
  put(field, sb::kBlockSizeBits, static_cast<std::uint8_t>(kBlockBits));
  put(field, sb::kRootNid, static_cast<std::uint16_t>(kRootOffset >> kSlotBits));
  put(field, sb::kInodes, inodes);
  put(field, sb::kBuildTime, static_cast<std::uint64_t>(build_time_->tv_sec));
  put(field, sb::kBuildNanoseconds, static_cast<std::uint32_t>(build_time_->tv_nsec));
  put(field, sb::kBlocks, output_.blocks());
  put(field, sb::kXattrBlock, std::uint32_t{1});
  std::ranges::copy(uuid_, field.begin() + sb::kUuid);
  put(field, sb::kIncompatible, chunked_ ? sb::kChunkedFiles : 0);
  put(field, sb::kChecksum, checksum(field));
}

/// Block 0: the superblock and behind it the root's inode, whose number must fit in 16 bits.
std::vector<char> Writer::make_root() {
  const Directory& directory = *directories_[nodes_[kRoot].detail];
  const auto content = directory_content(kRoot, true);
  const auto xattrs = encode_xattrs(directory.attributes.xattrs, true);
  const auto behind = std::span(content).subspan(directory.in_blocks);
  const Body body{.type = FileType::kDirectory,
                  .layout = behind.empty() ? Layout::kPlain : Layout::kInline,
                  .links = directory.links,
                  .size = content.size(),
                  .detail = directory.first_block,
                  .behind = behind};
  nodes_[kRoot].extended = true;
  const auto inode = encode(kRoot, directory.attributes, body, xattrs.bytes);
  std::vector<char> block(kBlock);
  if (inode.size() > kBlock - kRootOffset)
    fail("has too many attributes on its root");
  std::ranges::copy(inode, block.begin() + kRootOffset);
  return block;
}

void Writer::finish() {
  if (!build_time_)
    build_time_ = timespec{};
  nodes_[kRoot].offset = kRootOffset;
  nodes_[kRoot].links = 1;
  std::vector<Node> directories;
  for (Node node = 0; node < nodes_.size(); ++node) {
    const NodeInfo& info = nodes_[node];
    if (info.type == FileType::kDirectory && !directories_[info.detail]->gone)
      directories.push_back(node);
  }
  for (const Node node : directories)
    plan_directory(node);
  for (const Node node : directories)
    write_directory(node);
  for (const auto& info : nodes_) {
    if (!info.changed || info.links == 0 || info.type == FileType::kDirectory)
      continue;
    std::array<char, 4> links{};
    put(links, 0, info.links);
    const auto bytes = std::span<const char>(links);
    output_.patch(info.offset + (info.extended ? inode::kLinks : inode::kCompactLinks),
                  info.extended ? bytes : bytes.first(2));
  }
  std::vector<char> block = make_root();
  put_superblock(block);
  output_.finish(block);
}

}  // namespace trine::images::erofs
