#include "export/archive_input.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/pipe.h"
#include "base/process.h"
#include "bytes.h"
#include "hash.h"

extern char** environ;

namespace trine::images {
namespace {

constexpr std::size_t kBuffer = 1 << 20;

/// A format that a program undoes, which reads from its standard input.
struct Format {
  std::string_view magic;
  std::vector<std::string> command;
  const char* package;
};
const std::array kFormats{
    // A dictionary of 64 MiB is what `xz -9` takes; a stranger's file may ask for any.
    Format{{"\xfd"
            "7zXZ\0",
            6},
           {"xz", "--decompress", "--stdout", "--memlimit-decompress=192MiB"},
           "xz-utils"},
    Format{"BZh", {"bzip2", "--decompress", "--stdout"}, "bzip2"},
};
constexpr std::size_t kMagic = 6;

std::size_t read_some(int fd, std::span<char> into, const std::string& name) {
  for (;;) {
    const ssize_t got = ::read(fd, into.data(), into.size());
    if (got >= 0)
      return static_cast<std::size_t>(got);
    if (errno != EINTR)
      base::throw_errno("cannot read " + name);
  }
}

/// A stream that cannot be gone back in: its first bytes, which were looked at, and what follows.
class Stream : public ByteSource {
 public:
  Stream(int fd, std::string name) : fd_(fd), name_(std::move(name)), first_(kMagic) {
    std::size_t have = 0;
    while (have < first_.size()) {
      const std::size_t got = read_some(fd_, std::span(first_).subspan(have), name_);
      if (got == 0)
        break;
      have += got;
    }
    first_.resize(have);
  }
  [[nodiscard]] bool begins(std::string_view magic) const {
    return first_.size() >= magic.size() && std::memcmp(first_.data(), magic.data(), magic.size()) == 0;
  }
  std::size_t read(std::span<char> into) override {
    if (used_ == first_.size())
      return read_some(fd_, into, name_);
    const std::size_t size = std::min(into.size(), first_.size() - used_);
    std::memcpy(into.data(), first_.data() + used_, size);
    used_ += size;
    return size;
  }

 private:
  int fd_;
  std::string name_;
  std::vector<char> first_;
  std::size_t used_ = 0;
};

/// What a program makes of a file. It ends with this object.
class Filtered : public ByteSource {
 public:
  Filtered(const Format& format, int input, std::string name)
      : name_(std::move(name)), program_(format.command.front()) {
    auto [reader, writer] = base::make_pipe();
    output_ = std::move(reader);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    const auto argv = base::to_argv(format.command);
    const int error = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      throw base::Error("cannot decompress " + name_ + ": the program " + program_ + " cannot be run", error,
                        std::string("apt-get install ") + format.package);
    }
  }
  ~Filtered() override {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  Filtered(const Filtered&) = delete;
  Filtered& operator=(const Filtered&) = delete;

  std::size_t read(std::span<char> into) override {
    const std::size_t got = read_some(output_.get(), into, name_);
    if (got == 0 && pid_ > 0 && wait() != 0)
      throw base::Error("cannot decompress " + name_ + ": " + program_ + " has failed");
    return got;
  }

 private:
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  std::string name_;
  std::string program_;
  base::UniqueFd output_;
  pid_t pid_ = -1;
};

PackedLayer keep(ByteSource& from, const std::string& temporary) {
  PackedLayer layer{.file = base::open_file(temporary, O_RDWR | O_TMPFILE, 0600)};
  Hash hash("sha256");
  std::vector<char> buffer(kBuffer);
  while (const std::size_t got = from.read(buffer)) {
    const std::span<const char> bytes(buffer.data(), got);
    hash.update(bytes);
    base::write_all(layer.file.get(), {bytes.data(), bytes.size()}, "the archive in " + temporary);
    layer.size += got;
  }
  layer.digest = layer.diff_id = hash.finish();
  return layer;
}

}  // namespace

PackedLayer read_archive(const std::string& source, const std::string& temporary) {
  const bool input = source == "-";
  const std::string name = input ? "the standard input" : source;
  const base::UniqueFd opened = input ? base::UniqueFd() : base::open_file(source, O_RDONLY | O_NOCTTY);
  const int fd = input ? STDIN_FILENO : opened.get();
  Stream stream(fd, name);
  PackedLayer layer;
  const auto format = std::find_if(kFormats.begin(), kFormats.end(),
                                   [&](const Format& one) { return stream.begins(one.magic); });
  if (format != kFormats.end()) {
    // The program reads from the first byte on, of which a pipe has given some already.
    const PackedLayer packed = keep(stream, temporary);
    if (::lseek(packed.file.get(), 0, SEEK_SET) != 0)
      base::throw_errno("cannot read the archive in " + temporary);
    Filtered filtered(*format, packed.file.get(), name);
    layer = keep(filtered, temporary);
  } else {
    layer = keep(*decompress(stream, name), temporary);
  }
  if (layer.size == 0)
    throw base::Error("cannot import " + name + ": it is empty", 0,
                      "give the archive of a root file system: tar, plain or compressed");
  return layer;
}

}  // namespace trine::images
