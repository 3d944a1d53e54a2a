#include "devices/fs/inodes.h"

#include <utility>

namespace trine::hvm {

void Inodes::set_root(Inode root) {
  numbers_.emplace(root.key, kRoot);
  inodes_.insert_or_assign(kRoot, std::move(root));
}

const Inode* Inodes::find(std::uint64_t node) const noexcept {
  const auto found = inodes_.find(node);
  return found == inodes_.end() ? nullptr : &found->second;
}

std::uint64_t Inodes::add(Inode inode) {
  if (const auto known = numbers_.find(inode.key); known != numbers_.end()) {
    ++inodes_.find(known->second)->second.lookups;
    return known->second;
  }
  if (inodes_.size() >= most_)
    return 0;
  inode.lookups = 1;
  const std::uint64_t number = next_++;
  numbers_.emplace(inode.key, number);
  inodes_.emplace(number, std::move(inode));
  return number;
}

void Inodes::forget(std::uint64_t node, std::uint64_t lookups) noexcept {
  const auto found = inodes_.find(node);
  if (node == kRoot || found == inodes_.end())
    return;
  if (found->second.lookups > lookups) {
    found->second.lookups -= lookups;
    return;
  }
  numbers_.erase(found->second.key);
  inodes_.erase(found);
}

void Inodes::clear() noexcept {
  std::erase_if(numbers_, [](const auto& entry) { return entry.second != kRoot; });
  std::erase_if(inodes_, [](const auto& entry) { return entry.first != kRoot; });
}

}  // namespace trine::hvm
