#pragma once

#include <map>
#include <string>

#include "writer.h"

namespace trine::images::erofs {

constexpr std::size_t kMaxInlineData = 1024;  ///< behind an inode; more gets a block of its own

/// A directory is kept until the end: what is in it is known only then.
struct Writer::Directory {
  Node parent = kRoot;
  Attributes attributes;
  std::map<std::string, Node, std::less<>> entries;  ///< in the order that the format wants: by bytes
  bool gone = false;
  // Once it is planned:
  std::uint32_t links = 2;
  std::uint32_t first_block = 0;
  std::uint64_t in_blocks = 0;    ///< bytes of the content that lie there; what is left lies behind the inode
  std::size_t inline_offset = 0;  ///< from the inode's beginning
};

}  // namespace trine::images::erofs
