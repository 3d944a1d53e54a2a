#include "export/layer_diff.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "export/overlay_form.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxDepth = 1024;  ///< of directories; each keeps two descriptors open

struct Found {
  base::UniqueFd fd;  ///< opened with O_PATH; empty: there is nothing
  struct stat status{};
  [[nodiscard]] bool is_directory() const { return fd && S_ISDIR(status.st_mode); }
};

Found find(int directory, const std::string& name) {
  Found found;
  found.fd.reset(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (found.fd ? ::fstat(found.fd.get(), &found.status) != 0 : !is_gone(errno))
    base::throw_errno("cannot look at " + name);
  return found;
}

/// Empty when it was removed meanwhile.
base::UniqueFd open_directory(const Found& found, const std::string& path) {
  base::UniqueFd directory(::openat(found.fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory && !is_gone(errno))
    base::throw_errno("cannot open the directory " + path);
  return directory;
}

/// Copied up for what is in it, a directory keeps all of these.
bool same_directory(const struct stat& one, const struct stat& other) {
  return one.st_mode == other.st_mode && one.st_uid == other.st_uid && one.st_gid == other.st_gid &&
         one.st_mtim.tv_sec == other.st_mtim.tv_sec && one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

class Differ {
 public:
  /// `image`: below 0 where it has no such directory.
  void walk(int upper, int image, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth)
      throw base::Error("cannot compare " + prefix + ": it is nested too deep");
    const auto names = names_in(upper, prefix);
    for (const auto& name : names)
      compare(upper, image, name, prefix + name, depth);
    if (image < 0 || !is_opaque(upper))
      return;
    for (const auto& name : names_in(image, prefix)) {
      if (!std::ranges::binary_search(names, name))
        changes_.push_back({'D', prefix + name});
    }
  }
  std::vector<Change> take() {
    std::ranges::sort(changes_, {}, &Change::path);
    return std::move(changes_);
  }

 private:
  void compare(int upper, int image, const std::string& name, const std::string& path, std::size_t depth) {
    const Found above = find(upper, name);
    if (!above.fd)
      return;  // removed meanwhile
    Found below;
    if (image >= 0)
      below = find(image, name);
    if (below.fd && is_whiteout(below.status))
      below.fd.reset();
    if (is_whiteout(above.status)) {
      if (below.fd)
        changes_.push_back({'D', path});
      return;
    }
    const std::size_t before = changes_.size();
    changes_.push_back({below.fd ? 'C' : 'A', path});
    if (!above.is_directory())
      return;
    const base::UniqueFd directory = open_directory(above, path);
    const base::UniqueFd other = below.is_directory() ? open_directory(below, path) : base::UniqueFd();
    if (directory)
      walk(directory.get(), other ? other.get() : -1, path + "/", depth + 1);
    const bool nothing = changes_.size() == before + 1;
    if (nothing && other && same_directory(above.status, below.status))
      changes_.pop_back();
  }

  std::vector<Change> changes_;
};

}  // namespace

std::vector<Change> diff_layer(int upper, int image) {
  Differ differ;
  differ.walk(upper, image, "/", 0);
  return differ.take();
}

std::string to_line(const Change& change, bool escape) {
  std::string line{change.kind, ' '};
  for (const char byte : change.path) {
    const auto value = static_cast<unsigned char>(byte);
    if (escape && (value < ' ' || value == 0x7f)) {
      std::array<char, 8> octal{};
      std::snprintf(octal.data(), octal.size(), "\\%03o", static_cast<unsigned>(value));
      line += octal.data();
    } else {
      line += byte;
    }
  }
  return line + "\n";
}

}  // namespace trine::images
