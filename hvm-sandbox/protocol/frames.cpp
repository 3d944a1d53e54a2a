#include "hvm-sandbox/protocol.h"

namespace trine::hvm {

std::string encode_frame(const Frame& frame) {
  wire::Writer writer;
  writer.put(static_cast<std::uint32_t>(frame.payload.size()));
  writer.put(frame.type);
  writer.put(std::uint16_t{0});  // flags: none yet
  writer.put(frame.request);
  return std::move(writer).take() + frame.payload;
}

std::optional<Frame> FrameReader::next() {
  if (broken_ || buffer_.size() < kFrameHeader)
    return std::nullopt;
  wire::Reader reader(std::string_view(buffer_).substr(0, kFrameHeader));
  std::uint32_t length = 0;
  std::uint16_t flags = 0;
  Frame frame;
  reader.get(length);
  reader.get(frame.type);
  reader.get(flags);
  reader.get(frame.request);
  if (length > kMostFrameBytes || flags != 0) {
    broken_ = true;
    return std::nullopt;
  }
  if (buffer_.size() - kFrameHeader < length)
    return std::nullopt;
  frame.payload = buffer_.substr(kFrameHeader, length);
  buffer_.erase(0, kFrameHeader + length);
  return frame;
}

}  // namespace trine::hvm
