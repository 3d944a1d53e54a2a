#include "devices/pmem/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

#include "base/error.h"

namespace trine::hvm {

MappedFile::MappedFile(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0)
    base::throw_errno("cannot read a disk that is to be mapped");
  if (status.st_size <= 0)
    throw base::Error("a disk that is to be mapped is empty");
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  size_ = (bytes + kUnit - 1) / kUnit * kUnit;
  // The zeros first, the file over them: pages behind a file's last would be no memory at all.
  void* zeros = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED)
    base::throw_errno("cannot map a disk");
  base_ = static_cast<std::byte*>(zeros);
  if (::mmap(base_, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED) {
    const int error = errno;
    ::munmap(base_, size_);
    throw base::Error("cannot map a disk", error);
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(other.size_) {}

MappedFile::~MappedFile() {
  if (base_ != nullptr)
    ::munmap(base_, size_);
}

}  // namespace trine::hvm
