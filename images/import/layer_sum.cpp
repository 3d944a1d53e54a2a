#include "layer_sum.h"

#include <fcntl.h>
#include <isa-l/crc.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace trine::images {

std::string sum_of_file(int fd, const std::string& name) {
  std::vector<unsigned char> buffer(1 << 20);
  unsigned value = 0;
  std::uint64_t offset = 0;
  for (;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      base::throw_errno("cannot read " + name);
    if (got == 0)
      break;
    value = ::crc32_iscsi(buffer.data(), static_cast<int>(got), value);
    offset += static_cast<std::uint64_t>(got);
  }
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "crc32c:%08x %llu", value, static_cast<unsigned long long>(offset));
  return text.data();
}

void write_sum(const std::string& store, const std::string& name, const std::string& sum) {
  const base::UniqueFd directory = base::open_file(store + "/sums", O_RDONLY | O_DIRECTORY);
  base::replace_file(directory.get(), name, sum + "\n", base::Durability::kDisk, 0600);
}

std::optional<std::string> read_sum(const std::string& store, const std::string& name) {
  const std::string path = store + "/sums/" + name;
  if (::access(path.c_str(), F_OK) != 0)
    return std::nullopt;
  const std::string text = base::read_file(path, 4096);
  return text.substr(0, text.find('\n'));
}

}  // namespace trine::images
