#include "devices/fs/fs.h"

#include <catch2/catch.hpp>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <condition_variable>
#include <set>
#include <thread>

#include "base/error.h"
#include "share.h"

using namespace trine::hvm;
using namespace trine::hvm::test;
namespace base = trine::base;

namespace {

constexpr std::uint64_t kRoot = 1;

struct Guest {
  TemporaryDirectory directory;
  std::string share = directory.path + "/share";
  std::unique_ptr<Driver> driver;

  explicit Guest(bool read_only = false, FsBounds bounds = {}) {
    std::filesystem::create_directory(share);
    serve(share, read_only, bounds);
  }
  void serve(const std::string& path, bool read_only, FsBounds bounds) {
    driver = std::make_unique<Driver>(
        std::make_unique<InPlaceFs>(FileServer(base::open_file(path, O_PATH), read_only, bounds, proc())));
    driver->start();
    const fuse_init_in in{.major = 7, .minor = 37, .flags = FUSE_SETXATTR_EXT | FUSE_INIT_EXT};
    REQUIRE(ask(FUSE_INIT, 0, bytes_of(in)).error == 0);
  }
  Answer ask(std::uint32_t opcode, std::uint64_t node, const std::string& body, std::uint32_t room = 8192) {
    return answer_of(driver->request(1, message(opcode, node, body), room));
  }
  fuse_entry_out look(const std::string& name, std::uint64_t parent = kRoot) {
    return ask(FUSE_LOOKUP, parent, name_of(name)).as<fuse_entry_out>();
  }
  std::uint64_t open(std::uint64_t node, unsigned flags) {
    const Answer answer = ask(FUSE_OPEN, node, bytes_of(fuse_open_in{.flags = flags}));
    CHECK(answer.error == 0);
    return answer.as<fuse_open_out>().fh;
  }
  Answer create(const std::string& name, unsigned flags = O_RDWR) {
    return ask(FUSE_CREATE, kRoot,
               bytes_of(fuse_create_in{.flags = flags, .mode = S_IFREG | 0644}) + name_of(name));
  }
  Answer write(std::uint64_t handle, std::uint64_t offset, const std::string& data, std::uint32_t flags = 0) {
    const fuse_write_in in{.fh = handle,
                           .offset = offset,
                           .size = static_cast<std::uint32_t>(data.size()),
                           .write_flags = flags};
    return ask(FUSE_WRITE, kRoot, bytes_of(in) + data);
  }
  Answer read(std::uint64_t handle, std::uint64_t offset, std::uint32_t size) {
    return ask(FUSE_READ, kRoot, bytes_of(fuse_read_in{.fh = handle, .offset = offset, .size = size}),
               size + 16);
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    return base::read_file(share + "/" + name);
  }
  void put(const std::string& name, const std::string& text) const {
    base::write_all(base::open_file(share + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0644).get(), text,
                    name);
  }
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a share speaks the older of both versions, and none that is too old") {
  Guest guest;
  const auto version = [&](std::uint32_t major, std::uint32_t minor) {
    return guest.ask(FUSE_INIT, 0, bytes_of(fuse_init_in{.major = major, .minor = minor}));
  };
  CHECK(version(7, 40).as<fuse_init_out>().minor == 36);
  CHECK(version(7, 33).as<fuse_init_out>().minor == 33);
  CHECK(version(8, 0).as<fuse_init_out>().major == 7);
  CHECK(version(7, 8).error == EPROTO);
  CHECK(version(6, 99).error == EPROTO);
}

TEST_CASE("files of a share are looked up, read and written") {
  Guest guest;
  guest.put("file", "from the host");
  const fuse_entry_out entry = guest.look("file");
  CHECK(entry.attr.size == 13);
  CHECK(S_ISREG(entry.attr.mode));
  const std::uint64_t handle = guest.open(entry.nodeid, O_RDWR);
  CHECK(guest.read(handle, 5, 100).payload == "the host");
  CHECK(guest.write(handle, 5, "a guest").as<fuse_write_out>().size == 7);
  CHECK(guest.content("file") == "from a guestt");
  CHECK(guest.ask(FUSE_LOOKUP, kRoot, name_of("none")).error == ENOENT);
  CHECK(guest.ask(FUSE_RELEASE, entry.nodeid, bytes_of(fuse_release_in{.fh = handle})).error == 0);
  CHECK(guest.read(handle, 0, 1).error == EBADF);
}

TEST_CASE("a share makes, renames, links and removes") {
  Guest guest;
  CHECK(guest.create("file").error == 0);
  CHECK(guest.ask(FUSE_MKDIR, kRoot, bytes_of(fuse_mkdir_in{.mode = 0750}) + name_of("sub")).error == 0);
  const std::uint64_t sub = guest.look("sub").nodeid;
  const std::uint64_t file = guest.look("file").nodeid;
  CHECK(guest.ask(FUSE_LINK, sub, bytes_of(fuse_link_in{.oldnodeid = file}) + name_of("linked"))
            .as<fuse_entry_out>()
            .attr.nlink == 2);
  CHECK(guest.look("linked", sub).nodeid == file);
  CHECK(guest
            .ask(FUSE_RENAME, kRoot,
                 bytes_of(fuse_rename_in{.newdir = sub}) + name_of("file") + name_of("moved"))
            .error == 0);
  CHECK(std::filesystem::exists(guest.share + "/sub/moved"));
  CHECK(guest
            .ask(FUSE_RENAME2, sub,
                 bytes_of(fuse_rename2_in{.newdir = sub, .flags = 1}) + name_of("moved") + name_of("linked"))
            .error == EEXIST);
  CHECK(guest
            .ask(FUSE_RENAME2, sub,
                 bytes_of(fuse_rename2_in{.newdir = sub, .flags = 4}) + name_of("moved") + name_of("x"))
            .error == EINVAL);
  CHECK(guest.ask(FUSE_RMDIR, kRoot, name_of("sub")).error == ENOTEMPTY);
  CHECK(guest.ask(FUSE_UNLINK, sub, name_of("moved")).error == 0);
  CHECK(guest.ask(FUSE_UNLINK, sub, name_of("linked")).error == 0);
  CHECK(guest.ask(FUSE_RMDIR, kRoot, name_of("sub")).error == 0);
  CHECK(std::filesystem::is_empty(guest.share));
}

TEST_CASE("a name in a share is one component, and no way up") {
  Guest guest;
  std::filesystem::create_directory(guest.share + "/sub");
  guest.put("sub/file", "x");
  for (const std::string& name : {std::string(".."), std::string("."), std::string(), std::string("sub/file"),
                                  std::string("/etc/passwd"), std::string("sub/")}) {
    CHECK(guest.ask(FUSE_LOOKUP, kRoot, name_of(name)).error == EINVAL);
    CHECK(guest.create(name).error == EINVAL);
    CHECK(guest.ask(FUSE_MKDIR, kRoot, bytes_of(fuse_mkdir_in{.mode = 0755}) + name_of(name)).error ==
          EINVAL);
    CHECK(guest.ask(FUSE_UNLINK, kRoot, name_of(name)).error == EINVAL);
    CHECK(guest.ask(FUSE_SYMLINK, kRoot, name_of(name) + name_of("target")).error == EINVAL);
    CHECK(guest
              .ask(FUSE_RENAME, kRoot,
                   bytes_of(fuse_rename_in{.newdir = kRoot}) + name_of("sub") + name_of(name))
              .error == EINVAL);
  }
  CHECK(guest.ask(FUSE_LOOKUP, kRoot, "no zero").error == EINVAL);
  CHECK(guest.ask(FUSE_LOOKUP, kRoot, name_of(std::string(256, 'x'))).error == ENAMETOOLONG);
}

TEST_CASE("no symlink of a share is followed on the host") {
  Guest guest;
  base::write_all(base::open_file(guest.directory.path + "/secret", O_WRONLY | O_CREAT, 0644).get(), "secret",
                  "secret");
  std::filesystem::create_symlink("../secret", guest.share + "/out");
  std::filesystem::create_directory_symlink("..", guest.share + "/up");
  const fuse_entry_out out = guest.look("out");
  CHECK(S_ISLNK(out.attr.mode));
  CHECK(guest.ask(FUSE_READLINK, out.nodeid, {}).payload == "../secret");
  CHECK(guest.ask(FUSE_OPEN, out.nodeid, bytes_of(fuse_open_in{.flags = O_RDONLY})).error == EACCES);
  CHECK(guest.create("out").error == EACCES);
  CHECK(guest.ask(FUSE_LOOKUP, guest.look("up").nodeid, name_of("secret")).error == ENOTDIR);
  CHECK(guest.ask(FUSE_OPENDIR, guest.look("up").nodeid, bytes_of(fuse_open_in{})).error == ENOTDIR);
  const auto change = [&](unsigned valid) {
    return guest
        .ask(FUSE_SETATTR, out.nodeid, bytes_of(fuse_setattr_in{.valid = valid, .size = 0, .mode = 0777}))
        .error;
  };
  CHECK(change(FATTR_SIZE) == EINVAL);
  CHECK(change(FATTR_MODE) == EOPNOTSUPP);
  CHECK(
      guest.ask(FUSE_LINK, kRoot, bytes_of(fuse_link_in{.oldnodeid = out.nodeid}) + name_of("again")).error ==
      0);
  CHECK(std::filesystem::is_symlink(guest.share + "/again"));
  CHECK(base::read_file(guest.directory.path + "/secret") == "secret");
}

TEST_CASE("a file that took another's place is not what the guest knew") {
  Guest guest;
  guest.put("file", "first");
  const fuse_entry_out first = guest.look("file");
  std::filesystem::rename(guest.share + "/file", guest.share + "/old");
  std::filesystem::create_symlink("/etc/passwd", guest.share + "/file");
  CHECK(guest.read(guest.open(first.nodeid, O_RDONLY), 0, 100).payload == "first");
  CHECK(guest.look("file").nodeid != first.nodeid);
}

TEST_CASE("a share opens no pipe, socket or device, and makes no device") {
  Guest guest;
  REQUIRE(::mkfifo((guest.share + "/pipe").c_str(), 0666) == 0);
  const std::uint64_t pipe = guest.look("pipe").nodeid;
  CHECK(guest.ask(FUSE_OPEN, pipe, bytes_of(fuse_open_in{.flags = O_RDONLY})).error == EACCES);
  CHECK(guest.create("pipe").error == EACCES);
  const auto make = [&](unsigned mode) {
    return guest
        .ask(FUSE_MKNOD, kRoot, bytes_of(fuse_mknod_in{.mode = mode, .rdev = 0x103}) + name_of("made"))
        .error;
  };
  CHECK(make(S_IFCHR | 0666) == EPERM);
  CHECK(make(S_IFBLK | 0666) == EPERM);
  CHECK(make(S_IFDIR | 0755) == EPERM);
  CHECK(make(S_IFIFO | 0666) == 0);
}

TEST_CASE("nothing of a read-only share can be changed") {
  Guest guest;
  guest.put("file", "kept");
  guest.serve(guest.share, true, {});
  const std::uint64_t file = guest.look("file").nodeid;
  CHECK(guest.ask(FUSE_OPEN, file, bytes_of(fuse_open_in{.flags = O_RDWR})).error == EROFS);
  CHECK(guest.ask(FUSE_OPEN, file, bytes_of(fuse_open_in{.flags = O_RDONLY | O_TRUNC})).error == EROFS);
  const std::uint64_t handle = guest.open(file, O_RDONLY);
  CHECK(guest.write(handle, 0, "lost").error == EROFS);
  CHECK(guest.create("new").error == EROFS);
  CHECK(guest.ask(FUSE_UNLINK, kRoot, name_of("file")).error == EROFS);
  CHECK(guest.ask(FUSE_SETATTR, file, bytes_of(fuse_setattr_in{.valid = FATTR_SIZE})).error == EROFS);
  CHECK(guest.ask(FUSE_FALLOCATE, file, bytes_of(fuse_fallocate_in{.fh = handle, .length = 9})).error ==
        EROFS);
  CHECK(guest.ask(FUSE_SETXATTR, file, std::string(64, '\0')).error == EROFS);
  CHECK(guest.read(handle, 0, 10).payload == "kept");
  CHECK(guest.content("file") == "kept");
}

TEST_CASE("a directory is listed whole, however small the answers are") {
  Guest guest;
  std::set<std::string> wanted{".", ".."};
  for (int i = 0; i < 300; ++i)
    guest.put(*wanted.insert("file-" + std::to_string(i)).first, "");
  const bool plus = GENERATE(false, true);
  const std::uint32_t size = GENERATE(300U, 4096U, 65536U);
  const std::uint64_t handle =
      guest.ask(FUSE_OPENDIR, kRoot, bytes_of(fuse_open_in{})).as<fuse_open_out>().fh;
  std::multiset<std::string> got;
  std::uint64_t offset = 0;
  while (true) {
    const Answer answer =
        guest.ask(plus ? FUSE_READDIRPLUS : FUSE_READDIR, kRoot,
                  bytes_of(fuse_read_in{.fh = handle, .offset = offset, .size = size}), size + 16);
    REQUIRE(answer.error == 0);
    if (answer.payload.empty())
      break;
    const std::size_t head = plus ? sizeof(fuse_entry_out) : 0;
    for (std::size_t at = 0; at < answer.payload.size();) {
      const auto entry = answer.as<fuse_dirent>(at + head);
      const std::string name = answer.payload.substr(at + head + 24, entry.namelen);
      if (plus && name.starts_with("file-"))
        CHECK(answer.as<fuse_entry_out>(at).attr.ino == entry.ino);
      got.insert(name);
      offset = entry.off;
      at += (head + 24 + entry.namelen + 7) / 8 * 8;
    }
  }
  CHECK(got == std::multiset<std::string>(wanted.begin(), wanted.end()));
}

TEST_CASE("a guest that knows and opens all that it can is refused more, and keeps no descriptor") {
  Guest guest(false, {.inodes = 10, .handles = 10, .directories = 4});
  for (int i = 0; i < 20; ++i)
    guest.put("file-" + std::to_string(i), "");
  const std::size_t before = open_descriptors();
  std::vector<std::uint64_t> nodes;
  Answer answer;
  for (int i = 0;
       i < 20 && (answer = guest.ask(FUSE_LOOKUP, kRoot, name_of("file-" + std::to_string(i)))).error == 0;
       ++i)
    nodes.push_back(answer.as<fuse_entry_out>().nodeid);
  CHECK(answer.error == ENFILE);
  CHECK(nodes.size() == 9);
  CHECK(guest.look("file-0").nodeid == nodes[0]);
  std::vector<std::uint64_t> handles;
  while ((answer = guest.ask(FUSE_OPEN, nodes[0], bytes_of(fuse_open_in{}))).error == 0)
    handles.push_back(answer.as<fuse_open_out>().fh);
  CHECK(answer.error == ENFILE);
  CHECK(handles.size() == 10);
  CHECK(open_descriptors() == before + 19);
  for (const std::uint64_t handle : handles)
    guest.ask(FUSE_RELEASE, nodes[0], bytes_of(fuse_release_in{.fh = handle}));
  for (int i = 0; i < 4; ++i)
    CHECK(guest.ask(FUSE_OPENDIR, kRoot, bytes_of(fuse_open_in{})).error == 0);
  CHECK(guest.ask(FUSE_OPENDIR, kRoot, bytes_of(fuse_open_in{})).error == ENFILE);
  guest.driver->request(0, message(FUSE_FORGET, nodes[0], bytes_of(fuse_forget_in{.nlookup = 1})), 1);
  CHECK(guest.ask(FUSE_GETATTR, nodes[0], bytes_of(fuse_getattr_in{})).error == 0);
  guest.driver->request(0, message(FUSE_FORGET, nodes[0], bytes_of(fuse_forget_in{.nlookup = 9})), 1);
  CHECK(guest.ask(FUSE_GETATTR, nodes[0], bytes_of(fuse_getattr_in{})).error == ESTALE);
  CHECK(guest.look("file-19").nodeid != 0);
  guest.ask(FUSE_DESTROY, 0, {});
  CHECK(open_descriptors() == before);
}

TEST_CASE("the root of a share is never forgotten") {
  Guest guest;
  guest.driver->request(0, message(FUSE_FORGET, kRoot, bytes_of(fuse_forget_in{.nlookup = UINT64_MAX})), 1);
  CHECK(guest.ask(FUSE_GETATTR, kRoot, bytes_of(fuse_getattr_in{})).error == 0);
}

TEST_CASE("a single file is shared without those beside it") {
  Guest guest;
  guest.put("one", "one");
  guest.put("other", "other");
  guest.serve(guest.share + "/one", false, {});
  const std::uint64_t file = guest.look(FileServer::kSingleFile).nodeid;
  CHECK(guest.read(guest.open(file, O_RDONLY), 0, 10).payload == "one");
  CHECK(guest.ask(FUSE_LOOKUP, kRoot, name_of("other")).error == ENOENT);
  CHECK(guest.create("new").error != 0);
  CHECK(guest.ask(FUSE_UNLINK, kRoot, name_of(FileServer::kSingleFile)).error != 0);
  CHECK(guest
            .ask(FUSE_RENAME, kRoot,
                 bytes_of(fuse_rename_in{.newdir = kRoot}) + name_of(FileServer::kSingleFile) + name_of("x"))
            .error != 0);
  CHECK(S_ISDIR(guest.ask(FUSE_GETATTR, kRoot, bytes_of(fuse_getattr_in{})).as<fuse_attr_out>().attr.mode));
  CHECK(guest.ask(FUSE_STATFS, kRoot, {}).error == 0);
}

TEST_CASE("attributes of a share's files change as asked, no others") {
  Guest guest;
  guest.put("file", "123456");
  const std::uint64_t file = guest.look("file").nodeid;
  const fuse_setattr_in wanted{
      .valid = FATTR_MODE | FATTR_SIZE | FATTR_MTIME, .size = 3, .mtime = 981173106, .mode = S_IFREG | 0640};
  const auto out = guest.ask(FUSE_SETATTR, file, bytes_of(wanted)).as<fuse_attr_out>();
  CHECK(out.attr.size == 3);
  CHECK((out.attr.mode & 07777) == 0640);
  CHECK(out.attr.mtime == 981173106);
  CHECK(guest.content("file") == "123");
}

TEST_CASE("extended attributes of a guest's are its own, the host's are hidden") {
  Guest guest;
  guest.put("file", "");
  const std::string path = guest.share + "/file";
  if (::setxattr(path.c_str(), "user.host", "1", 1, 0) != 0)
    return;  // this file system has none
  const std::uint64_t file = guest.look("file").nodeid;
  const auto set = [&](const std::string& name) {
    return guest.ask(FUSE_SETXATTR, file, bytes_of(fuse_setxattr_in{.size = 4}) + name_of(name) + "blue")
        .error;
  };
  CHECK(set("user.color") == 0);
  CHECK(set("trusted.overlay.opaque") == EPERM);
  CHECK(set("security.selinux") == EPERM);
  const std::string ask_color = bytes_of(fuse_getxattr_in{.size = 4}) + name_of("user.color");
  CHECK(guest.ask(FUSE_GETXATTR, file, ask_color).payload == "blue");
  CHECK(guest.ask(FUSE_GETXATTR, file, bytes_of(fuse_getxattr_in{.size = 0}) + name_of("user.color"))
            .as<fuse_getxattr_out>()
            .size == 4);
  CHECK(guest.ask(FUSE_GETXATTR, file, bytes_of(fuse_getxattr_in{.size = 3}) + name_of("user.color")).error ==
        ERANGE);
  CHECK(
      guest.ask(FUSE_GETXATTR, file, bytes_of(fuse_getxattr_in{.size = 100}) + name_of("trusted.x")).error ==
      ENODATA);
  const std::string names = guest.ask(FUSE_LISTXATTR, file, bytes_of(fuse_getxattr_in{.size = 1000})).payload;
  CHECK(names.find(name_of("user.color")) != std::string::npos);
  CHECK(guest.ask(FUSE_REMOVEXATTR, file, name_of("user.color")).error == 0);
  CHECK(guest.ask(FUSE_GETXATTR, file, ask_color).error == ENODATA);
}

TEST_CASE("requests of a share that are cut off or lie about their size are errors") {
  Guest guest;
  guest.put("file", "kept");
  const std::uint64_t handle = guest.open(guest.look("file").nodeid, O_RDWR);
  const fuse_write_in lie{.fh = handle, .size = 100'000};
  CHECK(guest.ask(FUSE_WRITE, kRoot, bytes_of(lie) + "short").error == EINVAL);
  CHECK(guest.ask(FUSE_READ, kRoot, "short").error == EINVAL);
  CHECK(guest.ask(FUSE_BATCH_FORGET, 0, bytes_of(fuse_batch_forget_in{.count = UINT32_MAX})).error == EINVAL);
  CHECK(guest.ask(12345, kRoot, {}).error == ENOSYS);
  CHECK(guest.ask(FUSE_LOOKUP, kRoot, std::string(100'000, 'x')).error == E2BIG);
  CHECK(guest.ask(FUSE_GETATTR, 99, bytes_of(fuse_getattr_in{})).error == ESTALE);
  CHECK(guest.content("file") == "kept");
  CHECK_FALSE(answer_of(guest.driver->request(1, "not a header", 100)).given);
  CHECK_FALSE(guest.driver->needs_reset());
}

TEST_CASE("only a directory or a regular file can be shared") {
  const TemporaryDirectory directory;
  REQUIRE(::mkfifo((directory.path + "/pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(FileServer(base::open_file(directory.path + "/pipe", O_PATH), false, {}, proc()),
                  base::Error);
}

namespace {

/// The device as a machine has it, with its thread.
struct Threaded {
  TemporaryDirectory directory;
  std::mutex device_lock;
  std::unique_ptr<Driver> driver = std::make_unique<Driver>(std::make_unique<Fs>(
      "tag", FileServer(base::open_file(directory.path, O_PATH), false, {}, proc()), device_lock, [] {}));

  Threaded() {
    ::chmod(directory.path.c_str(), 0755);
    driver->start();
  }
  Answer ask(const std::string& message) {
    std::uint16_t before = 0;
    {
      const std::scoped_lock lock(device_lock);
      before = driver->used_index(1);
      driver->request(1, message, 4096);
    }
    while (true) {
      const std::scoped_lock lock(device_lock);
      if (driver->used_index(1) != before)
        return answer_of(driver->load(kData + 0x80000, 4096));
      std::this_thread::yield();
    }
  }
};

}  // namespace

TEST_CASE("a share's device tells its tag and serves on a thread of its own") {
  Threaded guest;
  std::string tag(36, '\0');
  guest.driver->transport().read(0x100, std::as_writable_bytes(std::span(tag)));
  CHECK(tag == std::string("tag") + std::string(33, '\0'));
  CHECK(guest.driver->read(0x100 + 36) == 1);
  // No window for DAX; a length of 0 would be one, of which the driver can make nothing.
  CHECK(guest.driver->read(0xb0) == UINT32_MAX);
  CHECK(guest.driver->read(0xb4) == UINT32_MAX);
  const fuse_mkdir_in in{.mode = 0755};
  CHECK(guest.ask(message(FUSE_MKDIR, kRoot, bytes_of(in) + name_of("sub"))).error == 0);
  CHECK(std::filesystem::is_directory(guest.directory.path + "/sub"));
  CHECK(guest.driver->interrupts() > 0);
}

TEST_CASE("what a guest's user makes in a share is that user's") {
  if (::geteuid() != 0)
    return;
  Threaded guest;
  const fuse_mkdir_in in{.mode = 0777};
  CHECK(guest.ask(message(FUSE_MKDIR, kRoot, bytes_of(in) + name_of("sub"), 1234)).error == 0);
  struct stat status{};
  REQUIRE(::stat((guest.directory.path + "/sub").c_str(), &status) == 0);
  CHECK(status.st_uid == 1234);
  CHECK(status.st_gid == 1234);
  CHECK((status.st_mode & 07777) == 0777);
}

TEST_CASE("a share's device is reset while it serves") {
  Threaded guest;
  for (int i = 0; i < 15; ++i) {  // as many as the ring has entries: the driver goes on where it was
    const std::scoped_lock lock(guest.device_lock);
    guest.driver->request(1, message(FUSE_GETATTR, kRoot, bytes_of(fuse_getattr_in{})), 4096);
    guest.driver->write(0x70, 0);
    guest.driver->start();
  }
  CHECK_FALSE(guest.driver->needs_reset());
}
