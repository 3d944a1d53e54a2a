#include "devices/fs/message.h"

#include <algorithm>
#include <cerrno>
#include <climits>

namespace trine::hvm {

std::optional<FsRequest> FsRequest::parse(const Chain& chain) {
  FsRequest request;
  request.chain_ = &chain;
  if (chain.read(0, std::as_writable_bytes(std::span(&request.header_, 1))) != sizeof request.header_)
    return std::nullopt;
  std::size_t bytes = chain.readable_bytes - sizeof request.header_;
  if (request.header_.opcode == FUSE_WRITE)
    bytes = std::min(bytes, sizeof(fuse_write_in));
  request.too_long_ = bytes > kMostBytes;
  request.body_.resize(std::min(bytes, kMostBytes));
  chain.read(sizeof request.header_, std::as_writable_bytes(std::span(request.body_)));
  return request;
}

std::expected<std::string, FsError> FsRequest::take_text(std::size_t most) {
  const std::size_t end = body_.find('\0', next_);
  if (end == std::string::npos)
    return std::unexpected(EINVAL);
  if (end - next_ > most)
    return std::unexpected(ENAMETOOLONG);
  std::string text = body_.substr(next_, end - next_);
  next_ = end + 1;
  return text;
}

std::expected<std::string, FsError> FsRequest::take_name() {
  auto name = take_text(NAME_MAX);
  if (name && (name->empty() || *name == "." || *name == ".." || name->find('/') != std::string::npos))
    return std::unexpected(EINVAL);
  return name;
}

std::expected<std::string, FsError> FsRequest::take_bytes(std::size_t count) {
  if (body_.size() - next_ < count)
    return std::unexpected(EINVAL);
  next_ += count;
  return body_.substr(next_ - count, count);
}

std::uint32_t FsReply::finish(std::uint64_t unique, FsError error) const noexcept {
  if (chain_.writable_bytes < sizeof(fuse_out_header))
    return 0;
  std::size_t bytes = sizeof(fuse_out_header);
  if (error == kDone)
    bytes += direct_ > 0 ? direct_ : chain_.write(bytes, std::as_bytes(std::span(body_)));
  const fuse_out_header header{.len = static_cast<std::uint32_t>(bytes), .error = -error, .unique = unique};
  chain_.write(0, std::as_bytes(std::span(&header, 1)));
  return static_cast<std::uint32_t>(bytes);
}

}  // namespace trine::hvm
