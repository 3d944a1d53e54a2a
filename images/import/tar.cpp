#include "tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "tar_header.h"

namespace trine::images {

/// What stands before a member's own header, and is for that member alone.
struct TarReader::Extensions {
  Records records;
  Pieces pieces;  ///< a sparse map of PAX 0.0: its records repeat, so that a map of records cannot hold them
  std::optional<std::string> path;
  std::optional<std::string> link;
};

namespace {

constexpr std::uint64_t kMaxPax = 1 << 20;
constexpr std::size_t kMaxPath = 4096;
constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::string_view kXattr = "SCHILY.xattr.";

/// Not a member, but more about the next one, or about all that follow.
bool is_extension(char type) {
  return type == 'x' || type == 'g' || type == 'L' || type == 'K';
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

/// False at the end of the archive: no block, or one of zeroes, whatever follows.
bool TarReader::read_header(TarHeader& header) {
  const std::size_t got = from_.read(header.bytes);
  if (got == 0)
    return false;
  position_ += got;
  read_exactly(std::span(header.bytes).subspan(got));
  if (header.is_zero())
    return false;
  if (!header.checksum_matches())
    fail("a header's checksum is wrong");
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

/// How much follows the header. A PAX record may say it for a member, never for an extension.
void TarReader::begin_data(const TarHeader& header, const Records& local) {
  constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();
  const bool extension = is_extension(header.type());
  auto size = header.number(124, 12);
  if (const auto found = local.find("size"); !extension && found != local.end())
    size = base::parse_unsigned(found->second);
  if (!size || *size > kMaxSize - TarHeader::kSize)
    fail("a member's size is malformed");
  const TarType type = header.member_type();
  // Only files have data; some writers give links and directories a size all the same.
  data_left_ = extension || type == TarType::kFile || type == TarType::kOther ? *size : 0;
  padding_ = (TarHeader::kSize - data_left_ % TarHeader::kSize) % TarHeader::kSize;
}

/// False when the header is a member's own.
bool TarReader::read_extension(char type, Extensions& into) {
  if (!is_extension(type))
    return false;
  if (type == 'x') {
    read_pax(into.records, &into.pieces);
  } else if (type == 'g') {
    read_pax(global_, nullptr);
  } else {
    std::string text = read_text(kMaxPath);
    (type == 'L' ? into.path : into.link) = text.substr(0, text.find('\0'));
  }
  return true;
}

/// Records are "LENGTH KEY=VALUE\n", the length being of all of it.
void TarReader::read_pax(Records& into, Pieces* pieces) {
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
      add_piece(base::parse_unsigned(value).value_or(0), 0, *pieces);
    } else if (pieces != nullptr && key == "GNU.sparse.numbytes" && !pieces->empty()) {
      pieces->back().second = base::parse_unsigned(value).value_or(0);
    } else {
      into[key] = value;
    }
    rest.remove_prefix(*length);
  }
}

/// What the header alone says. Where a PAX record gives an id, the header's field may hold anything.
TarEntry TarReader::make_entry(const TarHeader& header, const Records& local) const {
  const auto number = [&](std::size_t offset, std::uint64_t limit, const char* what) {
    const auto value = header.number(offset, 8);
    if (!value || *value > limit)
      fail(std::string("a member's ") + what + " is out of range");
    return static_cast<std::uint32_t>(*value);
  };
  TarEntry entry{
      .type = header.member_type(), .path = header.path(), .link = std::string(header.text(157, 100))};
  entry.mode = number(100, 0xffffffff, "mode") & 07777;
  if (!local.contains("uid"))
    entry.uid = number(108, kMaxId, "owner");
  if (!local.contains("gid"))
    entry.gid = number(116, kMaxId, "group");
  if (entry.type == TarType::kCharacter || entry.type == TarType::kBlock) {
    entry.major = number(329, 0xfff, "device number");
    entry.minor = number(337, 0xfffff, "device number");
  }
  entry.mtime.tv_sec = static_cast<time_t>(header.number(136, 12).value_or(0));
  entry.size = data_left_;
  return entry;
}

void TarReader::apply(const Records& records, TarEntry& entry) const {
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

void TarReader::check_paths(const TarEntry& entry) const {
  if (entry.path.size() > kMaxPath || entry.link.size() > kMaxPath)
    fail("a member's path is too long");
  if (entry.path.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos)
    fail("a member's path holds a NUL byte");
}

/// The header first, GNU's long names over it, PAX over both; of its records the member's own over the
/// global.
TarEntry TarReader::read_entry(const TarHeader& header, const Extensions& extensions) {
  TarEntry entry = make_entry(header, extensions.records);
  if (extensions.path)
    entry.path = *extensions.path;
  if (extensions.link)
    entry.link = *extensions.link;
  Records records = global_;
  for (const auto& [key, value] : extensions.records)
    records[key] = value;
  apply(records, entry);
  read_sparse(header, records, extensions.pieces, entry);
  check_paths(entry);
  return entry;
}

std::optional<TarEntry> TarReader::next() {
  Extensions extensions;
  TarHeader header;
  for (;;) {
    skip_data();
    if (!read_header(header))
      return std::nullopt;
    begin_data(header, extensions.records);
    if (!read_extension(header.type(), extensions))
      return read_entry(header, extensions);
  }
}

}  // namespace trine::images
