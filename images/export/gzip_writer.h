#pragma once

#include <memory>
#include <span>

#include "export/tar_writer.h"

namespace trine::images {

/// Compresses to gzip (RFC 1952), without a time or a name: the same bytes give the same bytes.
class GzipWriter {
 public:
  explicit GzipWriter(ByteSink sink);
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  void write(std::span<const char> bytes);
  void finish();

 private:
  struct State;
  void run(std::span<const char> bytes, bool last);
  ByteSink sink_;
  std::unique_ptr<State> state_;
};

}  // namespace trine::images
