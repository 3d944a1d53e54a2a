#pragma once

#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "devices/fs/server.h"
#include "driver.h"

namespace trine::hvm::test {

/// What a server finds its own descriptors in.
inline int proc() {
  static const base::UniqueFd directory = base::open_file("/proc", O_PATH | O_DIRECTORY);
  return directory.get();
}

/// A file server that answers at once, on the caller's thread.
class InPlaceFs : public Device {
 public:
  explicit InPlaceFs(FileServer server) : server_(std::move(server)) {}
  [[nodiscard]] DeviceType type() const noexcept override { return DeviceType::kFs; }
  [[nodiscard]] std::string name() const override { return "share"; }
  [[nodiscard]] unsigned queue_count() const noexcept override { return 2; }
  void notify(unsigned queue) noexcept override {
    serve_all(queue, [this](const Chain& chain) -> std::expected<std::uint32_t, QueueError> {
      return server_.serve(chain);
    });
  }

 private:
  FileServer server_;
};

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A text with its zero.
inline std::string name_of(const std::string& name) {
  return name + '\0';
}

struct Answer {
  bool given = false;
  int error = 0;
  std::string payload;

  template <class T>
  [[nodiscard]] T as(std::size_t offset = 0) const {
    T value{};
    if (payload.size() >= offset + sizeof value)
      std::memcpy(&value, payload.data() + offset, sizeof value);
    return value;
  }
};

/// A request as it stands in the guest's memory.
inline std::string message(std::uint32_t opcode, std::uint64_t node, const std::string& body,
                           uid_t user = 0) {
  const fuse_in_header header{.len = static_cast<std::uint32_t>(sizeof(fuse_in_header) + body.size()),
                              .opcode = opcode,
                              .unique = 7,
                              .nodeid = node,
                              .uid = user,
                              .gid = user};
  return bytes_of(header) + body;
}

inline Answer answer_of(const std::string& raw) {
  fuse_out_header header{};
  if (raw.size() < sizeof header)
    return {};
  std::memcpy(&header, raw.data(), sizeof header);
  if (header.len < sizeof header || header.len > raw.size())
    return {};
  return {.given = header.unique == 7,
          .error = -header.error,
          .payload = raw.substr(sizeof header, header.len - sizeof header)};
}

/// A directory that is gone with it.
struct TemporaryDirectory {
  std::string path;
  TemporaryDirectory() {
    std::string name = "/tmp/trine-share.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path, error);
  }
};

}  // namespace trine::hvm::test
