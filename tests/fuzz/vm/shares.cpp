#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "share.h"
#include "words.h"

/// A guest that asks a shared directory for anything at all: whole requests with numbers that were given out
/// or nearly, names good and bad, sizes that lie. What lies beside the share must be as it was.
namespace {

using namespace trine;
using hvm::test::bytes_of;
using hvm::test::name_of;

struct Shape {
  std::uint32_t opcode;
  std::size_t bytes;             ///< of the structure behind the header
  std::array<int, 2> numbers{};  ///< where in it handles or nodes stand, or -1
  unsigned names = 0;
};

constexpr std::array kShapes{
    Shape{FUSE_LOOKUP, 0, {-1, -1}, 1},
    Shape{FUSE_FORGET, sizeof(fuse_forget_in), {0, -1}},
    Shape{FUSE_GETATTR, sizeof(fuse_getattr_in), {8, -1}},
    Shape{FUSE_SETATTR, sizeof(fuse_setattr_in), {8, 16}},
    Shape{FUSE_READLINK, 0, {-1, -1}},
    Shape{FUSE_SYMLINK, 0, {-1, -1}, 2},
    Shape{FUSE_MKNOD, sizeof(fuse_mknod_in), {-1, -1}, 1},
    Shape{FUSE_MKDIR, sizeof(fuse_mkdir_in), {-1, -1}, 1},
    Shape{FUSE_UNLINK, 0, {-1, -1}, 1},
    Shape{FUSE_RMDIR, 0, {-1, -1}, 1},
    Shape{FUSE_RENAME, sizeof(fuse_rename_in), {0, -1}, 2},
    Shape{FUSE_RENAME2, sizeof(fuse_rename2_in), {0, 8}, 2},
    Shape{FUSE_LINK, sizeof(fuse_link_in), {0, -1}, 1},
    Shape{FUSE_OPEN, sizeof(fuse_open_in), {-1, -1}},
    Shape{FUSE_READ, sizeof(fuse_read_in), {0, 8}},
    Shape{FUSE_WRITE, sizeof(fuse_write_in), {0, 8}},
    Shape{FUSE_STATFS, 0, {-1, -1}},
    Shape{FUSE_RELEASE, sizeof(fuse_release_in), {0, -1}},
    Shape{FUSE_FSYNC, sizeof(fuse_fsync_in), {0, -1}},
    Shape{FUSE_SETXATTR, sizeof(fuse_setxattr_in), {-1, -1}, 1},
    Shape{FUSE_GETXATTR, sizeof(fuse_getxattr_in), {-1, -1}, 1},
    Shape{FUSE_LISTXATTR, sizeof(fuse_getxattr_in), {-1, -1}},
    Shape{FUSE_REMOVEXATTR, 0, {-1, -1}, 1},
    Shape{FUSE_FLUSH, sizeof(fuse_flush_in), {0, -1}},
    Shape{FUSE_INIT, sizeof(fuse_init_in), {-1, -1}},
    Shape{FUSE_OPENDIR, sizeof(fuse_open_in), {-1, -1}},
    Shape{FUSE_READDIR, sizeof(fuse_read_in), {0, 8}},
    Shape{FUSE_READDIRPLUS, sizeof(fuse_read_in), {0, 8}},
    Shape{FUSE_RELEASEDIR, sizeof(fuse_release_in), {0, -1}},
    Shape{FUSE_CREATE, sizeof(fuse_create_in), {-1, -1}, 1},
    Shape{FUSE_DESTROY, 0, {-1, -1}},
    Shape{FUSE_BATCH_FORGET, sizeof(fuse_batch_forget_in) + sizeof(fuse_forget_one), {8, -1}},
    Shape{FUSE_FALLOCATE, sizeof(fuse_fallocate_in), {0, 8}},
    Shape{FUSE_LSEEK, sizeof(fuse_lseek_in), {0, 8}},
    Shape{FUSE_COPY_FILE_RANGE, sizeof(fuse_copy_file_range_in), {0, 24}},
};

constexpr std::array kNames{"a",   "b", "sub",   "up",        "out",
                            "..",  ".", "sub/a", "../secret", "",
                            "new", "c", "file",  "user.x",    "security.capability"};

/// The share, made anew for each run, and a secret beside it.
struct Scratch {
  hvm::test::TemporaryDirectory directory;
  std::string share = directory.path + "/share";
  std::string secret = directory.path + "/secret";

  void fill() const {
    std::filesystem::remove_all(share);
    std::filesystem::create_directories(share + "/sub");
    std::filesystem::create_directory_symlink("..", share + "/up");
    std::filesystem::create_symlink("../secret", share + "/out");
    for (const char* name : {"/a", "/b", "/sub/a"})
      base::write_all(base::open_file(share + name, O_WRONLY | O_CREAT, 0644).get(), "content", name);
  }
  void check() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path))
      ++count;
    if (count != 2 || base::read_file(secret) != "secret")
      __builtin_trap();
  }
};

Scratch& scratch() {
  static Scratch one;
  static const bool made = [] {
    constexpr rlim_t kMostFile = 1 << 20;
    const rlimit limit{.rlim_cur = kMostFile, .rlim_max = kMostFile};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
    base::write_all(base::open_file(one.secret, O_WRONLY | O_CREAT, 0644).get(), "secret", "secret");
    return true;
  }();
  (void)made;
  return one;
}

/// Small numbers are such as are given out.
std::uint64_t number(Words& words) {
  const auto word = words.take<std::uint8_t>();
  return word == 0xff ? words.take<std::uint64_t>() : word % 14U;
}

std::string body_of(Words& words, const Shape& shape) {
  std::string body = words.text(shape.bytes);
  body.resize(shape.bytes, '\0');
  for (const int offset : shape.numbers) {
    const std::uint64_t value = number(words);
    if (offset >= 0)
      body.replace(static_cast<std::size_t>(offset), sizeof value, bytes_of(value));
  }
  for (unsigned i = 0; i < shape.names; ++i)
    body += name_of(kNames.at(words.take<std::uint8_t>() % kNames.size()));
  if (const auto more = words.take<std::uint8_t>(); more % 4 == 0)
    body += words.text(more);
  if (const auto less = words.take<std::uint8_t>(); less >= 0xf0)
    body.resize(std::min<std::size_t>(body.size(), less - 0xf0U));
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostRequests = 60;
  Words words(data, size);
  scratch().fill();
  const auto how = words.take<std::uint8_t>();
  const std::string source = scratch().share + (how % 8 == 1 ? "/a" : "");
  hvm::test::Driver driver(std::make_unique<hvm::test::InPlaceFs>(
      hvm::FileServer(base::open_file(source, O_PATH), how % 8 == 0,
                      {.inodes = 16, .handles = 12, .directories = 4}, hvm::test::proc())));
  driver.start();
  for (int i = 0; i < kMostRequests && !words.empty(); ++i) {
    const Shape& shape = kShapes.at(words.take<std::uint8_t>() % kShapes.size());
    const std::uint64_t node = number(words);
    const std::string body = body_of(words, shape);
    driver.request(words.take<std::uint8_t>() % 2, hvm::test::message(shape.opcode, node, body),
                   words.take<std::uint8_t>() * 64U + 1);
  }
  scratch().check();
  return 0;
}
