#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bytes.h"
#include "document.h"
#include "endpoint.h"

namespace trine::images {

/// Whether the registry has the blob.
bool has_blob(Endpoint& endpoint, const Descriptor& blob);

/// Has the registry take the blob over from another of its repositories. False when it does not.
bool mount_blob(Endpoint& endpoint, const Descriptor& blob, const std::string& repository);

/// Sends a blob. `open` gives its bytes, from the first, as often as it must be sent. Throws Error.
void upload_blob(Endpoint& endpoint, const Descriptor& blob,
                 const std::function<std::unique_ptr<ByteSource>()>& open);

/// Under a tag or a digest. Throws Error.
void upload_manifest(Endpoint& endpoint, const std::string& selector, const std::string& text,
                     const std::string& media_type);

/// Bytes in memory.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view text) : left_(text) {}
  std::size_t read(std::span<char> into) override {
    const std::size_t size = left_.copy(into.data(), into.size());
    left_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view left_;
};

}  // namespace trine::images
