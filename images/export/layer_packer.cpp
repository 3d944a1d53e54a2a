#include "export/layer_packer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/in_root.h"
#include "base/text.h"
#include "export/overlay_form.h"

namespace trine::images {
namespace {

constexpr std::size_t kMaxDepth = 1024;  ///< of directories; each keeps a descriptor open
constexpr std::size_t kBuffer = 256 << 10;

class Packer {
 public:
  Packer(PackOptions options, const ByteSink& sink)
      : options_(options),
        writer_(sink),
        buffer_(kBuffer),
        attribute_names_(XATTR_LIST_MAX),
        attribute_value_(XATTR_SIZE_MAX) {}

  void pack(int directory) {
    TarMember member{.path = "./"};
    if (::fstat(directory, &member.status) != 0)
      base::throw_errno("cannot look at the directory to be packed");
    pack_directory(directory, std::move(member), "", 0);
    writer_.finish();
  }

 private:
  void pack_directory(int directory, TarMember member, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth)
      throw base::Error("cannot pack " + prefix + ": it is nested too deep");
    const bool opaque = read_xattrs(directory, member);
    writer_.add(member);
    if (opaque)
      add_empty(prefix + ".wh..wh..opq");
    for (const auto& name : names_in(directory, prefix))
      pack_entry(directory, name, prefix, depth);
  }

  void pack_entry(int directory, const std::string& name, const std::string& prefix, std::size_t depth) {
    TarMember member{.path = prefix + name};
    const base::UniqueFd entry(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!entry && options_.changing && is_gone(errno))
      return;
    if (!entry || ::fstat(entry.get(), &member.status) != 0)
      base::throw_errno("cannot look at " + member.path);
    const mode_t mode = member.status.st_mode;
    if (S_ISSOCK(mode))
      return;  // a socket without its process is nothing
    if (is_whiteout(member.status)) {
      if (options_.tree == Tree::kLayer)
        add_empty(prefix + ".wh." + name);
      return;
    }
    refuse_whiteout_name(name, member.path);
    if (S_ISDIR(mode)) {
      const base::UniqueFd child(::openat(entry.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!child && options_.changing && is_gone(errno))
        return;
      if (!child)
        base::throw_errno("cannot open the directory " + member.path);
      member.path += '/';
      const std::string path = member.path;
      return pack_directory(child.get(), std::move(member), path, depth + 1);
    }
    if (find_first_link(member)) {
      writer_.add(member);
      return;
    }
    (void)read_xattrs(entry.get(), member);
    if (S_ISLNK(mode))
      member.link = read_link(entry.get(), member.path);
    if (S_ISREG(mode))
      return pack_file(entry.get(), member);
    writer_.add(member);
  }

  void refuse_whiteout_name(const std::string& name, const std::string& path) const {
    if (options_.tree == Tree::kLayer && name.starts_with(".wh.")) {
      throw base::Error("cannot pack " + path + ": in an image such a name says that a file was removed", 0,
                        "give it a name that does not begin with .wh.");
    }
  }

  /// Whether an earlier member is the same file.
  bool find_first_link(TarMember& member) {
    if (member.status.st_nlink < 2)
      return false;
    const auto [first, is_new] =
        links_.try_emplace({member.status.st_dev, member.status.st_ino}, member.path);
    member.hardlink = !is_new;
    if (!is_new)
      member.link = first->second;
    return !is_new;
  }

  /// Whether they mark an opaque directory; the overlay's own are left out.
  bool read_xattrs(int file, TarMember& member) {
    // What O_PATH opened takes no fgetxattr(2). The magic link leads to the file itself, be it a symlink.
    const std::string path = base::fd_path(file);
    const ssize_t size = ::listxattr(path.c_str(), attribute_names_.data(), attribute_names_.size());
    if (size < 0 && errno != ENOTSUP)
      base::throw_errno("cannot read the attributes of " + member.path);
    bool opaque = false;
    for (const auto& name :
         base::split({attribute_names_.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))}, '\0',
                     base::SplitEmpty::kSkip)) {
      if (const auto own = overlay_attribute(name); !own.empty()) {
        refuse_shared(own, member.path);
        opaque = opaque || own == "opaque";
        continue;
      }
      const ssize_t length =
          ::getxattr(path.c_str(), name.c_str(), attribute_value_.data(), attribute_value_.size());
      if (length < 0 && errno == ENODATA && options_.changing)
        continue;
      if (length < 0)
        base::throw_errno("cannot read the attribute " + name + " of " + member.path);
      member.xattrs.emplace_back(name,
                                 std::string(attribute_value_.data(), static_cast<std::size_t>(length)));
    }
    std::ranges::sort(member.xattrs);
    return opaque && options_.tree == Tree::kLayer;
  }

  /// Part of what these name stays in the layers below, where nothing but that overlay finds it.
  void refuse_shared(std::string_view attribute, const std::string& path) const {
    if (options_.tree != Tree::kLayer || (attribute != "redirect" && attribute != "metacopy"))
      return;
    throw base::Error(
        "cannot pack " + path + ": this kernel's overlay has left its contents in the layer below", 0,
        "turn that off: echo N >/sys/module/overlay/parameters/redirect_dir, and metacopy");
  }

  static std::string read_link(int link, const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
    if (size < 0)
      base::throw_errno("cannot read the link " + path);
    return {target.data(), static_cast<std::size_t>(size)};
  }

  void add_empty(std::string path) {
    TarMember member{.path = std::move(path)};
    member.status.st_mode = S_IFREG;
    writer_.add(member);
  }

  void pack_file(int entry, TarMember& member) {
    const base::UniqueFd file(::open(base::fd_path(entry).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && options_.changing && is_gone(errno))
      return;
    if (!file || ::fstat(file.get(), &member.status) != 0)
      base::throw_errno("cannot open " + member.path);
    writer_.add(member);
    auto left = static_cast<std::uint64_t>(member.status.st_size);
    while (left > 0) {
      const std::size_t most = std::min<std::uint64_t>(buffer_.size(), left);
      ssize_t got = ::read(file.get(), buffer_.data(), most);
      if (got < 0 && errno == EINTR)
        continue;
      if (got == 0 && options_.changing) {
        std::fill_n(buffer_.begin(), most, '\0');
        got = static_cast<ssize_t>(most);
      }
      if (got <= 0)
        throw base::Error("cannot read " + member.path, got < 0 ? errno : 0);
      writer_.data({buffer_.data(), static_cast<std::size_t>(got)});
      left -= static_cast<std::uint64_t>(got);
    }
    writer_.end_data();
  }

  PackOptions options_;
  TarWriter writer_;
  std::vector<char> buffer_;
  std::vector<char> attribute_names_;
  std::vector<char> attribute_value_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  ///< the first name of what has several
};

}  // namespace

void pack_tree(int directory, PackOptions options, const ByteSink& sink) {
  Packer(options, sink).pack(directory);
}

void pack_layer(const std::string& directory, const ByteSink& sink) {
  pack_tree(base::open_file(directory, O_RDONLY | O_DIRECTORY).get(), {}, sink);
}

}  // namespace trine::images
