#include "devices/block/disk_ring.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

namespace trine::hvm {
namespace {

int enter(int ring, unsigned submit, unsigned least, unsigned flags) noexcept {
  return static_cast<int>(::syscall(SYS_io_uring_enter, ring, submit, least, flags, nullptr, 0));
}

bool configure(int ring, unsigned what, const void* argument, unsigned count) noexcept {
  return ::syscall(SYS_io_uring_register, ring, what, argument, count) == 0;
}

void* map_part(int ring, std::size_t bytes, off_t which) noexcept {
  void* const address =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, which);
  return address == MAP_FAILED ? nullptr : address;
}

}  // namespace

std::unique_ptr<DiskRing> DiskRing::make(int file, unsigned entries) noexcept {
  std::unique_ptr<DiskRing> ring(new (std::nothrow) DiskRing);
  return ring && ring->open(file, entries) ? std::move(ring) : nullptr;
}

DiskRing::~DiskRing() {
  if (requests_ != nullptr)
    ::munmap(requests_, params_.sq_entries * sizeof(io_uring_sqe));
  if (rings_ != nullptr)
    ::munmap(rings_, rings_bytes_);
}

bool DiskRing::open(int file, unsigned entries) noexcept {
  params_.flags = IORING_SETUP_R_DISABLED;
  ring_.reset(static_cast<int>(::syscall(SYS_io_uring_setup, entries, &params_)));
  event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  entries_ = params_.sq_entries;
  return ring_ && event_ && map(params_) && restrict_to(file);
}

bool DiskRing::map(const io_uring_params& params) noexcept {
  if ((params.features & IORING_FEAT_SINGLE_MMAP) == 0)
    return false;
  rings_bytes_ = std::max<std::size_t>(params.sq_off.array + (params.sq_entries * sizeof(std::uint32_t)),
                                       params.cq_off.cqes + (params.cq_entries * sizeof(io_uring_cqe)));
  rings_ = static_cast<std::byte*>(map_part(ring_.get(), rings_bytes_, IORING_OFF_SQ_RING));
  requests_ = static_cast<io_uring_sqe*>(
      map_part(ring_.get(), params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
  return rings_ != nullptr && requests_ != nullptr;
}

/// One file, three operations, and nothing that could change that.
bool DiskRing::restrict_to(int file) noexcept {
  const int event = event_.get();
  const std::array allowed{
      io_uring_restriction{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV},
      io_uring_restriction{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV},
      io_uring_restriction{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC},
      io_uring_restriction{.opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE},
  };
  return configure(ring_.get(), IORING_REGISTER_FILES, &file, 1) &&
         configure(ring_.get(), IORING_REGISTER_EVENTFD, &event, 1) &&
         configure(ring_.get(), IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size()) &&
         configure(ring_.get(), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

std::uint32_t* DiskRing::word(std::uint32_t offset) const noexcept {
  return reinterpret_cast<std::uint32_t*>(rings_ + offset);
}

io_uring_sqe& DiskRing::next_entry(std::uint8_t operation, std::uint64_t tag) noexcept {
  // The kernel reads the tail; we alone write it.
  const std::uint32_t tail = *word(params_.sq_off.tail);
  const std::uint32_t index = tail & (entries_ - 1);
  io_uring_sqe& entry = requests_[index];
  entry = {};
  entry.opcode = operation;
  entry.flags = IOSQE_FIXED_FILE;
  entry.user_data = tag;
  word(params_.sq_off.array)[index] = index;
  __atomic_store_n(word(params_.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
  ++asked_;
  return entry;  // which the kernel reads in submit()
}

void DiskRing::read(std::span<const iovec> parts, std::uint64_t offset, std::uint64_t tag) noexcept {
  io_uring_sqe& entry = next_entry(IORING_OP_READV, tag);
  entry.addr = reinterpret_cast<std::uint64_t>(parts.data());
  entry.len = static_cast<std::uint32_t>(parts.size());
  entry.off = offset;
}

void DiskRing::write(std::span<const iovec> parts, std::uint64_t offset, std::uint64_t tag) noexcept {
  io_uring_sqe& entry = next_entry(IORING_OP_WRITEV, tag);
  entry.addr = reinterpret_cast<std::uint64_t>(parts.data());
  entry.len = static_cast<std::uint32_t>(parts.size());
  entry.off = offset;
}

void DiskRing::sync(std::uint64_t tag) noexcept {
  next_entry(IORING_OP_FSYNC, tag).fsync_flags = IORING_FSYNC_DATASYNC;
}

void DiskRing::submit() noexcept {
  while (asked_ > 0) {
    const int taken = enter(ring_.get(), asked_, 0, 0);
    if (taken > 0)
      asked_ -= std::min(asked_, static_cast<unsigned>(taken));
    else if (taken < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY)
      return;  // it cannot be: the ring is ours, and whole
  }
}

std::optional<DiskRing::Done> DiskRing::take() noexcept {
  const std::uint32_t head = *word(params_.cq_off.head);
  if (head == __atomic_load_n(word(params_.cq_off.tail), __ATOMIC_ACQUIRE))
    return std::nullopt;
  const auto* const answers = reinterpret_cast<const io_uring_cqe*>(rings_ + params_.cq_off.cqes);
  const io_uring_cqe& answer = answers[head & (params_.cq_entries - 1)];
  const Done done{.tag = answer.user_data, .result = answer.res};
  __atomic_store_n(word(params_.cq_off.head), head + 1, __ATOMIC_RELEASE);
  return done;
}

void DiskRing::wait() noexcept {
  (void)enter(ring_.get(), 0, 1, IORING_ENTER_GETEVENTS);  // EINTR: whoever waits asks again
}

}  // namespace trine::hvm
