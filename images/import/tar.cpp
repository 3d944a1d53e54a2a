#include "tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/text.h"

namespace trine::images {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxPax = 1 << 20;
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxPieces = 100'000;

/// One header block; the offsets are ustar's.
struct TarReader::Block {
  std::array<char, kBlock> bytes;

  [[nodiscard]] std::string_view field(std::size_t offset, std::size_t size) const {
    const std::string_view raw(bytes.data() + offset, size);
    return raw.substr(0, raw.find('\0'));
  }
  [[nodiscard]] char type() const { return bytes[156]; }
  [[nodiscard]] bool is_zero() const {
    return std::ranges::all_of(bytes, [](char c) { return c == 0; });
  }
};

namespace {

/// Octal text, or with the first bit set a number of base 256 (GNU). Nothing when it is neither.
std::optional<std::uint64_t> parse_number(std::string_view raw) {
  if ((static_cast<unsigned char>(raw[0]) & 0x80) != 0) {
    if ((static_cast<unsigned char>(raw[0]) & 0x40) != 0)
      return std::nullopt;  // negative
    std::uint64_t value = static_cast<unsigned char>(raw[0]) & 0x3f;
    for (const char c : raw.substr(1)) {
      if (value >> 55 != 0)
        return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  const auto end = raw.find('\0');
  const std::string_view text = base::trim(raw.substr(0, end));
  if (text.empty())
    return 0;
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc{} || stop != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool checksum_matches(std::span<const char, kBlock> bytes) {
  const auto stored = parse_number({bytes.data() + 148, 8});
  std::uint64_t sum = 0;
  std::int64_t signed_sum = 0;  // old tars summed signed characters
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char c = i >= 148 && i < 156 ? ' ' : bytes[i];
    sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  return stored && (*stored == sum || static_cast<std::int64_t>(*stored) == signed_sum);
}

TarType to_type(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':
    case 'S':
      return TarType::kFile;
    case '1':
      return TarType::kHardlink;
    case '2':
      return TarType::kSymlink;
    case '3':
      return TarType::kCharacter;
    case '4':
      return TarType::kBlock;
    case '5':
      return TarType::kDirectory;
    case '6':
      return TarType::kFifo;
    default:
      return TarType::kOther;
  }
}

/// "1700000000.123456789"
std::optional<timespec> parse_time(std::string_view text) {
  const auto dot = text.find('.');
  std::int64_t seconds = 0;
  const std::string_view whole = text.substr(0, dot);
  if (std::from_chars(whole.data(), whole.data() + whole.size(), seconds).ec != std::errc{})
    return std::nullopt;
  long nanoseconds = 0;
  if (dot != std::string_view::npos) {
    std::string fraction(text.substr(dot + 1, 9));
    fraction.resize(9, '0');
    if (fraction.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    nanoseconds = std::stol(fraction);
    if (whole.starts_with('-') && nanoseconds > 0) {
      seconds -= 1;
      nanoseconds = 1'000'000'000 - nanoseconds;
    }
  }
  return timespec{.tv_sec = seconds, .tv_nsec = nanoseconds};
}

constexpr std::string_view kXattr = "SCHILY.xattr.";

}  // namespace

void TarReader::fail(const std::string& what) const {
  throw base::Error("cannot read " + name_ + ": " + what + " (at byte " + std::to_string(position_) + ")");
}

void TarReader::read_exactly(std::span<char> into) {
  while (!into.empty()) {
    const std::size_t got = from_.read(into);
    if (got == 0)
      fail("the archive is truncated");
    position_ += got;
    into = into.subspan(got);
  }
}

bool TarReader::read_block(Block& block) {
  const std::size_t got = from_.read(block.bytes);
  if (got == 0)
    return false;
  position_ += got;
  read_exactly(std::span(block.bytes).subspan(got));
  return true;
}

void TarReader::skip_data() {
  std::array<char, 65536> sink{};
  for (std::uint64_t left = data_left_ + padding_; left > 0;) {
    const std::size_t size = std::min<std::uint64_t>(left, sink.size());
    read_exactly(std::span(sink).first(size));
    left -= size;
  }
  data_left_ = padding_ = 0;
}

std::size_t TarReader::read_data(std::span<char> into) {
  const std::size_t want = std::min<std::uint64_t>(into.size(), data_left_);
  if (want == 0)
    return 0;
  const std::size_t got = from_.read(into.first(want));
  if (got == 0)
    fail("the archive is truncated");
  position_ += got;
  data_left_ -= got;
  return got;
}

std::string TarReader::read_text(std::uint64_t limit) {
  if (data_left_ > limit)
    fail("a header of " + std::to_string(data_left_) + " bytes is too large");
  std::string text(data_left_, '\0');
  data_left_ = 0;
  read_exactly(text);
  skip_data();
  return text;
}

/// Records are "LENGTH KEY=VALUE\n", the length being of all of it.
void TarReader::read_pax(Records& into, std::vector<std::pair<std::uint64_t, std::uint64_t>>* pieces) {
  const std::string text = read_text(kMaxPax);
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto space = rest.find(' ');
    const auto length = base::parse_unsigned(rest.substr(0, space));
    if (space == std::string_view::npos || !length || *length <= space + 1 || *length > rest.size()) {
      fail("a PAX record is malformed");
    }
    const std::string_view record = rest.substr(space + 1, *length - space - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos || rest[*length - 1] != '\n')
      fail("a PAX record is malformed");
    const std::string key(record.substr(0, equals));
    const std::string value(record.substr(equals + 1));
    if (pieces != nullptr && key == "GNU.sparse.offset") {
      if (pieces->size() >= kMaxPieces)
        fail("a sparse file has too many pieces");
      pieces->emplace_back(base::parse_unsigned(value).value_or(0), 0);
    } else if (pieces != nullptr && key == "GNU.sparse.numbytes" && !pieces->empty()) {
      pieces->back().second = base::parse_unsigned(value).value_or(0);
    } else {
      into[key] = value;
    }
    rest.remove_prefix(*length);
  }
}

void TarReader::apply(const Records& records, TarEntry& entry) {
  const auto number = [&](const std::string& key, std::uint64_t limit) -> std::optional<std::uint64_t> {
    const auto found = records.find(key);
    if (found == records.end() || found->second.empty())
      return std::nullopt;
    const auto value = base::parse_unsigned(found->second);
    if (!value || *value > limit)
      fail("the PAX record " + key + "=" + found->second.substr(0, 40) + " is out of range");
    return value;
  };
  const auto text = [&](const std::string& key, std::string& into) {
    if (const auto found = records.find(key); found != records.end())
      into = found->second;
  };
  constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;
  text("path", entry.path);
  text("GNU.sparse.name", entry.path);
  text("linkpath", entry.link);
  if (const auto uid = number("uid", kMaxId))
    entry.uid = static_cast<std::uint32_t>(*uid);
  if (const auto gid = number("gid", kMaxId))
    entry.gid = static_cast<std::uint32_t>(*gid);
  if (const auto found = records.find("mtime"); found != records.end()) {
    const auto time = parse_time(found->second);
    if (!time)
      fail("the PAX record mtime is malformed");
    entry.mtime = *time;
  }
  for (const auto& [key, value] : records) {
    if (key.starts_with(kXattr))
      entry.xattrs.emplace_back(key.substr(kXattr.size()), value);
  }
}

void TarReader::read_old_sparse(const Block& block, TarEntry& entry) {
  entry.sparse.emplace();
  const auto add = [&](const std::array<char, kBlock>& bytes, std::size_t offset, int count) {
    for (int i = 0; i < count; ++i, offset += 24) {
      const auto start = parse_number({bytes.data() + offset, 12});
      const auto size = parse_number({bytes.data() + offset + 12, 12});
      if (!start || !size)
        fail("a sparse file's map is malformed");
      if (*start == 0 && *size == 0 && bytes[offset] == 0)
        return;
      if (entry.sparse->size() >= kMaxPieces)
        fail("a sparse file has too many pieces");
      entry.sparse->emplace_back(*start, *size);
    }
  };
  add(block.bytes, 386, 4);
  const auto real_size = parse_number({block.bytes.data() + 483, 12});
  if (!real_size)
    fail("a sparse file's size is malformed");
  entry.size = *real_size;
  bool more = block.bytes[482] != 0;
  while (more) {
    Block extension{};
    read_exactly(extension.bytes);
    add(extension.bytes, 0, 21);
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
      if (text.size() > kMaxPieces * 50 || data_left_ < kBlock)
        fail("a sparse file's map is malformed");
      std::array<char, kBlock> block{};
      read_exactly(block);
      data_left_ -= kBlock;
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

std::optional<TarEntry> TarReader::next() {
  Records local;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces;
  std::optional<std::string> long_path;
  std::optional<std::string> long_link;
  for (;;) {
    skip_data();
    Block block{};
    if (!read_block(block))
      return std::nullopt;
    if (block.is_zero())
      return std::nullopt;  // the end, whatever follows
    if (!checksum_matches(block.bytes))
      fail("a header's checksum is wrong");
    auto size = parse_number({block.bytes.data() + 124, 12});
    const char type = block.type();
    const bool meta = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!meta) {
      if (const auto found = local.find("size"); found != local.end())
        size = base::parse_unsigned(found->second);
    }
    if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - kBlock) {
      fail("a member's size is malformed");
    }
    const TarType kind = to_type(type);
    // Only files have data; some writers give links and directories a size all the same.
    data_left_ = meta || kind == TarType::kFile || kind == TarType::kOther ? *size : 0;
    padding_ = (kBlock - data_left_ % kBlock) % kBlock;
    if (type == 'x') {
      read_pax(local, &pieces);
      continue;
    }
    if (type == 'g') {
      read_pax(global_, nullptr);
      continue;
    }
    if (type == 'L' || type == 'K') {
      std::string text = read_text(kMaxPath);
      (type == 'L' ? long_path : long_link) = text.substr(0, text.find('\0'));
      continue;
    }
    TarEntry entry{
        .type = kind, .path = std::string(block.field(0, 100)), .link = std::string(block.field(157, 100))};
    const std::string prefix(block.field(345, 155));
    if (std::memcmp(block.bytes.data() + 257, "ustar\0", 6) == 0 && !prefix.empty())
      entry.path = prefix + "/" + entry.path;
    const auto header_number = [&](std::size_t offset, std::size_t width, std::uint64_t limit,
                                   const char* what) {
      const auto value = parse_number({block.bytes.data() + offset, width});
      if (!value || *value > limit)
        fail(std::string("a member's ") + what + " is out of range");
      return static_cast<std::uint32_t>(*value);
    };
    constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;
    entry.mode = header_number(100, 8, 0xffffffff, "mode") & 07777;
    // Where a PAX record gives the id, the header's field may hold anything.
    if (!local.contains("uid"))
      entry.uid = header_number(108, 8, kMaxId, "owner");
    if (!local.contains("gid"))
      entry.gid = header_number(116, 8, kMaxId, "group");
    if (kind == TarType::kCharacter || kind == TarType::kBlock) {
      entry.major = header_number(329, 8, 0xfff, "device number");
      entry.minor = header_number(337, 8, 0xfffff, "device number");
    }
    entry.mtime.tv_sec = static_cast<time_t>(parse_number({block.bytes.data() + 136, 12}).value_or(0));
    entry.size = data_left_;
    if (long_path)
      entry.path = *long_path;
    if (long_link)
      entry.link = *long_link;
    Records records = global_;
    for (auto& [key, value] : local)
      records[key] = value;
    apply(records, entry);
    if (type == 'S')
      read_old_sparse(block, entry);
    if (records.contains("GNU.sparse.major")) {
      entry.size = base::parse_unsigned(records["GNU.sparse.realsize"]).value_or(0);
      const std::uint64_t before = data_left_;
      read_sparse_1_0(entry);
      padding_ = (kBlock - before % kBlock) % kBlock;
    } else if (records.contains("GNU.sparse.size")) {
      entry.size = base::parse_unsigned(records["GNU.sparse.size"]).value_or(0);
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
    if (entry.path.size() > kMaxPath || entry.link.size() > kMaxPath)
      fail("a member's path is too long");
    if (entry.path.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos) {
      fail("a member's path holds a NUL byte");
    }
    return entry;
  }
}

}  // namespace trine::images
