#include "export/gzip_writer.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.h"

namespace trine::images {

struct GzipWriter::State {
  static constexpr std::size_t kOutput = 256 << 10;
  isal_zstream stream{};
  std::vector<std::uint8_t> level = std::vector<std::uint8_t>(ISAL_DEF_LVL1_DEFAULT);
  std::vector<std::uint8_t> output = std::vector<std::uint8_t>(kOutput);
};

GzipWriter::GzipWriter(ByteSink sink) : sink_(std::move(sink)), state_(std::make_unique<State>()) {
  ::isal_deflate_init(&state_->stream);
  state_->stream.level = 1;
  state_->stream.level_buf = state_->level.data();
  state_->stream.level_buf_size = static_cast<std::uint32_t>(state_->level.size());
  state_->stream.gzip_flag = IGZIP_GZIP;
}

GzipWriter::~GzipWriter() = default;

void GzipWriter::write(std::span<const char> bytes) {
  constexpr std::size_t kMost = 1 << 30;  // the library counts in 32 bits
  for (; bytes.size() > kMost; bytes = bytes.subspan(kMost))
    run(bytes.first(kMost), false);
  run(bytes, false);
}

void GzipWriter::finish() {
  run({}, true);
}

void GzipWriter::run(std::span<const char> bytes, bool last) {
  isal_zstream& stream = state_->stream;
  // The library does not write through it, though its type does not say so.
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<std::uint32_t>(bytes.size());
  stream.end_of_stream = last ? 1 : 0;
  do {
    stream.next_out = state_->output.data();
    stream.avail_out = static_cast<std::uint32_t>(state_->output.size());
    if (::isal_deflate(&stream) != COMP_OK)
      throw base::Error("cannot compress a layer");
    sink_({reinterpret_cast<const char*>(state_->output.data()), state_->output.size() - stream.avail_out});
  } while (stream.avail_in > 0 || stream.avail_out == 0 ||
           (last && stream.internal_state.state != ZSTATE_END));
}

}  // namespace trine::images
