#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bytes.h"

namespace trine::images {

struct TarHeader;

enum class TarType { kFile, kHardlink, kSymlink, kCharacter, kBlock, kDirectory, kFifo, kOther };

/// Where a sparse file has data, in order: offset and length.
using Pieces = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// One member of an archive, with what PAX and GNU say of it put together.
struct TarEntry {
  TarType type = TarType::kOther;
  std::string path;
  std::string link;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint64_t size = 0;  ///< of the content, holes included
  timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;
  std::optional<Pieces> sparse;  ///< nothing: there is data everywhere
};

/// Reads tar archives: ustar, PAX (local and global records), GNU (long names, base-256 numbers, sparse files
/// of the old form and of PAX 0.0, 0.1 and 1.0). Bounded: 1 MiB of PAX records, 4096 bytes of a path, 10^5
/// pieces of a sparse file. Throws base::Error naming the archive and what is wrong. Source: pax(1) of
/// POSIX.1-2008, the GNU tar manual.
class TarReader {
 public:
  TarReader(ByteSource& from, std::string name) : from_(from), name_(std::move(name)) {}

  /// The next member; what the last one's data was not read is passed over.
  std::optional<TarEntry> next();
  /// Data of the member that next() gave, holes left out; 0 at its end.
  std::size_t read_data(std::span<char> into);
  /// Bytes of the archive up to the data of the member that next() gave.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] std::uint64_t data_left() const { return data_left_; }

 private:
  using Records = std::map<std::string, std::string>;
  struct Extensions;

  bool read_header(TarHeader& header);
  void begin_data(const TarHeader& header, const Records& local);
  bool read_extension(char type, Extensions& into);
  void read_pax(Records& into, Pieces* pieces);
  TarEntry make_entry(const TarHeader& header, const Records& local) const;
  TarEntry read_entry(const TarHeader& header, const Extensions& extensions);
  void apply(const Records& records, TarEntry& entry) const;
  void check_paths(const TarEntry& entry) const;

  // Sparse files: tar_sparse.cpp.
  void read_sparse(const TarHeader& header, const Records& records, const Pieces& pieces, TarEntry& entry);
  void read_old_sparse(const TarHeader& header, TarEntry& entry);
  void read_sparse_1_0(TarEntry& entry);
  void add_piece(std::uint64_t offset, std::uint64_t size, Pieces& pieces) const;
  void check_sparse(const TarEntry& entry) const;

  void read_exactly(std::span<char> into);
  void skip_data();
  std::string read_text(std::uint64_t limit);
  [[noreturn]] void fail(const std::string& what) const;

  ByteSource& from_;
  std::string name_;
  std::uint64_t position_ = 0;
  std::uint64_t data_left_ = 0;
  std::uint64_t padding_ = 0;
  Records global_;
};

}  // namespace trine::images
