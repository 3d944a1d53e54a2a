#pragma once

#include <sys/stat.h>

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace trine::images {

/// Takes bytes; throws when it cannot.
using ByteSink = std::function<void(std::span<const char>)>;

/// One member to be written.
struct TarMember {
  std::string path;  ///< relative; a directory's ends with '/'
  struct stat status{};
  std::string link;  ///< of a symlink its target, of a hardlink the member it is
  bool hardlink = false;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

/// Writes a tar archive of POSIX 2001: ustar headers, before them pax records for what does not fit. The same
/// members give the same bytes. Source: pax(1) of POSIX.1-2008; "SCHILY.xattr" is star's.
class TarWriter {
 public:
  explicit TarWriter(ByteSink sink) : sink_(std::move(sink)) {}

  /// A file's contents follow: as many bytes as its status says.
  void add(const TarMember& member);
  void data(std::span<const char> bytes);
  /// Fills the last block of a file.
  void end_data();
  void finish();

 private:
  void write_header(const TarMember& member, char type, std::uint64_t size);

  ByteSink sink_;
  std::uint64_t written_ = 0;  ///< of the current file
};

}  // namespace trine::images
