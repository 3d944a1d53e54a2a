// Sparse files, of which an archive holds only the pieces with data. There are four ways to say where those
// are. Source: the GNU tar manual, "Storing Sparse Files".
#include <array>

#include "base/text.h"
#include "tar.h"
#include "tar_header.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxPieces = 100'000;

}  // namespace

void TarReader::add_piece(std::uint64_t offset, std::uint64_t size, Pieces& pieces) const {
  if (pieces.size() >= kMaxPieces)
    fail("a sparse file has too many pieces");
  pieces.emplace_back(offset, size);
}

/// The oldest form keeps the map in the header, and in blocks after it for as long as each says that there is
/// one more.
void TarReader::read_old_sparse(const TarHeader& header, TarEntry& entry) {
  entry.sparse.emplace();
  const auto add = [&](const TarHeader& block, std::size_t offset, int count) {
    for (int i = 0; i < count; ++i, offset += 24) {
      const auto start = block.number(offset, 12);
      const auto size = block.number(offset + 12, 12);
      if (!start || !size)
        fail("a sparse file's map is malformed");
      if (*start == 0 && *size == 0 && block.bytes[offset] == 0)
        return;
      add_piece(*start, *size, *entry.sparse);
    }
  };
  add(header, 386, 4);
  const auto real_size = header.number(483, 12);
  if (!real_size)
    fail("a sparse file's size is malformed");
  entry.size = *real_size;
  bool more = header.bytes[482] != 0;
  while (more) {
    TarHeader extension;
    read_exactly(extension.bytes);
    add(extension, 0, 21);
    more = extension.bytes[504] != 0;
  }
}

/// Version 1.0 keeps the map in front of the data: decimal numbers, a line each, filled up to a block.
void TarReader::read_sparse_1_0(TarEntry& entry) {
  entry.sparse.emplace();
  std::string text;
  std::size_t used = 0;
  const auto next_number = [&]() -> std::uint64_t {
    std::size_t end = 0;
    while ((end = text.find('\n', used)) == std::string::npos) {
      if (text.size() > kMaxPieces * 50 || data_left_ < TarHeader::kSize)
        fail("a sparse file's map is malformed");
      std::array<char, TarHeader::kSize> block{};
      read_exactly(block);
      data_left_ -= block.size();
      text.append(block.data(), block.size());
    }
    const auto value = base::parse_unsigned(std::string_view(text).substr(used, end - used));
    if (!value)
      fail("a sparse file's map is malformed");
    used = end + 1;
    return *value;
  };
  const std::uint64_t count = next_number();
  if (count > kMaxPieces)
    fail("a sparse file has too many pieces");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t offset = next_number();
    entry.sparse->emplace_back(offset, next_number());
  }
}

/// Versions 0.0 and 0.1 keep it in PAX records: a pair of them for each piece, or one that lists all.
void TarReader::read_sparse(const TarHeader& header, const Records& records, const Pieces& pieces,
                            TarEntry& entry) {
  const auto size_of = [&](const char* key) {
    const auto found = records.find(key);
    return found == records.end() ? 0 : base::parse_unsigned(found->second).value_or(0);
  };
  if (header.type() == 'S')
    read_old_sparse(header, entry);
  if (records.contains("GNU.sparse.major")) {
    entry.size = size_of("GNU.sparse.realsize");
    read_sparse_1_0(entry);
  } else if (records.contains("GNU.sparse.size")) {
    entry.size = size_of("GNU.sparse.size");
    entry.sparse = pieces;
    if (const auto map = records.find("GNU.sparse.map"); map != records.end()) {
      const auto numbers = base::split(map->second, ',', base::SplitEmpty::kSkip);
      for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
        entry.sparse->emplace_back(base::parse_unsigned(numbers[i]).value_or(0),
                                   base::parse_unsigned(numbers[i + 1]).value_or(0));
      }
    }
  }
  check_sparse(entry);
}

void TarReader::check_sparse(const TarEntry& entry) const {
  if (!entry.sparse)
    return;
  std::uint64_t end = 0;
  std::uint64_t data = 0;
  for (const auto& [offset, size] : *entry.sparse) {
    if (offset < end || size > entry.size || offset > entry.size - size)
      fail("a sparse file's map is out of order");
    end = offset + size;
    data += size;
  }
  if (data != data_left_)
    fail("a sparse file's map does not match its data");
}

}  // namespace trine::images
