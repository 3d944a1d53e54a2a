#include "export/tar_writer.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace trine::images {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxSize = 077777777777;  ///< what 11 octal digits hold
constexpr std::uint64_t kMaxId = 07777777;
constexpr std::size_t kMaxName = 100;
constexpr long kNanosecondDigits = 9;

/// A field of the header block.
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUser{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kMajor{329, 8};
constexpr Field kMinor{337, 8};

using Block = std::array<char, kBlock>;

void put(Block& block, Field field, std::string_view text) {
  std::memcpy(block.data() + field.offset, text.data(), std::min(text.size(), field.size));
}

/// Zero-filled octal with a NUL behind it; what does not fit stands in a pax record.
void put_number(Block& block, Field field, std::uint64_t value) {
  std::string digits(field.size - 1, '0');
  for (std::size_t i = digits.size(); i-- > 0 && value > 0; value /= 8)
    digits[i] = static_cast<char>('0' + value % 8);
  put(block, field, value > 0 ? std::string(field.size - 1, '7') : digits);
}

/// "LENGTH KEY=VALUE\n", its length counting itself.
std::string record(const std::string& key, const std::string& value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

std::string time_text(const timespec& time) {
  std::string fraction = std::to_string(time.tv_nsec);
  fraction.insert(0, kNanosecondDigits - fraction.size(), '0');
  return std::to_string(time.tv_sec) + "." + fraction;
}

std::string pax_records(const TarMember& member, std::uint64_t size) {
  std::string text;
  if (member.path.size() > kMaxName)
    text += record("path", member.path);
  if (member.link.size() > kMaxName)
    text += record("linkpath", member.link);
  if (size > kMaxSize)
    text += record("size", std::to_string(size));
  if (member.status.st_uid > kMaxId)
    text += record("uid", std::to_string(member.status.st_uid));
  if (member.status.st_gid > kMaxId)
    text += record("gid", std::to_string(member.status.st_gid));
  const timespec& time = member.status.st_mtim;
  if (time.tv_nsec != 0 || time.tv_sec < 0 || static_cast<std::uint64_t>(time.tv_sec) > kMaxSize)
    text += record("mtime", time_text(time));
  for (const auto& [name, value] : member.xattrs)
    text += record("SCHILY.xattr." + name, value);
  return text;
}

char type_of(const TarMember& member) {
  if (member.hardlink)
    return '1';
  switch (member.status.st_mode & S_IFMT) {
    case S_IFREG:
      return '0';
    case S_IFLNK:
      return '2';
    case S_IFCHR:
      return '3';
    case S_IFBLK:
      return '4';
    case S_IFDIR:
      return '5';
    case S_IFIFO:
      return '6';
    default:
      throw base::Error("cannot pack " + member.path + ": a socket has no place in an archive");
  }
}

}  // namespace

void TarWriter::add(const TarMember& member) {
  const char type = type_of(member);
  const std::uint64_t size = type == '0' ? static_cast<std::uint64_t>(member.status.st_size) : 0;
  const std::string extra = pax_records(member, size);
  if (!extra.empty()) {
    TarMember records{.path = "PaxHeaders/" + member.path.substr(0, kMaxName / 2)};
    records.status.st_mode = S_IFREG | 0644;
    write_header(records, 'x', extra.size());
    data(extra);
    end_data();
  }
  write_header(member, type, size);
}

void TarWriter::write_header(const TarMember& member, char type, std::uint64_t size) {
  constexpr unsigned kPermissions = 07777;
  Block block{};
  put(block, kName, member.path);
  put_number(block, kMode, member.status.st_mode & kPermissions);
  put_number(block, kUser, member.status.st_uid);
  put_number(block, kGroup, member.status.st_gid);
  put_number(block, kSize, size);
  put_number(block, kTime, static_cast<std::uint64_t>(std::max<time_t>(member.status.st_mtim.tv_sec, 0)));
  block[kType] = type;
  put(block, kLink, member.link);
  put(block, kMagic, std::string_view("ustar\00000", kMagic.size));
  if (type == '3' || type == '4') {
    put_number(block, kMajor, major(member.status.st_rdev));
    put_number(block, kMinor, minor(member.status.st_rdev));
  }
  // The sum is taken with blanks in its own place.
  std::memset(block.data() + kChecksum.offset, ' ', kChecksum.size);
  unsigned sum = 0;
  for (const char byte : block)
    sum += static_cast<unsigned char>(byte);
  put_number(block, {kChecksum.offset, kChecksum.size - 1}, sum);
  sink_(block);
  written_ = 0;
}

void TarWriter::data(std::span<const char> bytes) {
  sink_(bytes);
  written_ += bytes.size();
}

void TarWriter::end_data() {
  static constexpr Block kZeroes{};
  if (const std::size_t used = written_ % kBlock; used > 0)
    sink_(std::span(kZeroes).first(kBlock - used));
  written_ = 0;
}

void TarWriter::finish() {
  static constexpr Block kZeroes{};
  sink_(kZeroes);
  sink_(kZeroes);
}

}  // namespace trine::images
