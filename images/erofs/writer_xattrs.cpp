#include <algorithm>

#include "base/error.h"
#include "tree.h"
#include "writer.h"

// An attribute that many files have (a label, a capability) is stored once: the entry that stands in the
// first inode is a shared one for all that come later, for a shared entry may lie anywhere in the image.

namespace trine::images::erofs {
namespace {

constexpr std::size_t kMaxInline = 512;  // a larger entry stands by itself
constexpr std::size_t kMaxCount = 255;   // references to shared ones in an inode: their count is a byte
constexpr std::size_t kMaxAll = 2048;    // so that an inode and what is inline behind it fit in a block
constexpr std::size_t kMaxValue = 0xffff;
constexpr std::size_t kMaxRemembered = 4 << 20;  // bytes of entries
constexpr std::uint64_t kSharedBase = kBlock;    // of block 1, which the superblock names
constexpr std::uint64_t kMaxReference = 0xffffffff;

/// Empty when the format has no such name.
std::string encode_entry(const std::string& name, const std::string& value) {
  for (const auto& prefix : kXattrPrefixes) {
    if (!name.starts_with(prefix.text))
      continue;
    const std::string rest = name.substr(prefix.text.size());
    if (rest.empty() != prefix.whole || rest.size() > kMaxName)
      return {};
    std::string entry(kXattrEntry, '\0');
    put(entry, 0, static_cast<std::uint8_t>(rest.size()));
    put(entry, 1, prefix.index);
    put(entry, 2, static_cast<std::uint16_t>(value.size()));
    entry += rest;
    entry += value;
    entry.resize(round_up(entry.size(), 4));
    return entry;
  }
  return {};
}

}  // namespace

/// The reference to an entry that is in the image, or that is put there now; nothing when it would be out of
/// a reference's reach, which is 16 GiB.
std::optional<std::uint32_t> Writer::share_xattr(const std::string& entry, bool place) {
  if (const auto found = shared_xattrs_.find(entry); found != shared_xattrs_.end())
    return found->second;
  if (!place)
    return std::nullopt;
  return remember_xattr(entry, output_.place(entry.size(), entry));
}

std::optional<std::uint32_t> Writer::remember_xattr(const std::string& entry, std::uint64_t offset) {
  const std::uint64_t reference = (offset - kSharedBase) / 4;
  if (reference > kMaxReference)
    return std::nullopt;
  if (shared_size_ + entry.size() <= kMaxRemembered) {
    shared_size_ += entry.size();
    shared_xattrs_.emplace(entry, static_cast<std::uint32_t>(reference));
  }
  return static_cast<std::uint32_t>(reference);
}

Writer::EncodedXattrs Writer::encode_xattrs(const Xattrs& xattrs, bool share_all) {
  std::vector<std::uint32_t> shared;
  std::vector<std::string> own;
  for (const auto& [name, value] : xattrs) {
    if (value.size() > kMaxValue)
      fail("has an attribute " + name + " of " + std::to_string(value.size()) + " bytes: 65535 are the most");
    std::string entry = encode_entry(name, value);
    if (entry.empty())
      continue;
    if (const auto reference = share_xattr(entry, share_all || entry.size() > kMaxInline)) {
      shared.push_back(*reference);
    } else {
      own.push_back(std::move(entry));
    }
  }
  if (shared.size() + own.size() > kMaxCount)
    fail("has a file with more than 255 attributes");
  EncodedXattrs encoded;
  if (shared.empty() && own.empty())
    return encoded;
  encoded.bytes.resize(kXattrHeader + 4 * shared.size());
  put(encoded.bytes, 4, static_cast<std::uint8_t>(shared.size()));
  for (std::size_t i = 0; i < shared.size(); ++i)
    put(encoded.bytes, kXattrHeader + 4 * i, shared[i]);
  for (auto& entry : own) {
    const std::size_t offset = encoded.bytes.size();
    encoded.bytes.insert(encoded.bytes.end(), entry.begin(), entry.end());
    encoded.own.emplace_back(std::move(entry), offset);
  }
  if (encoded.bytes.size() <= kMaxAll)
    return encoded;
  if (share_all)
    fail("has a file with " + std::to_string(encoded.bytes.size()) + " bytes of attributes");
  return encode_xattrs(xattrs, true);
}

}  // namespace trine::images::erofs
