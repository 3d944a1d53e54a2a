#include "runtime/backend/joined_process.h"

#include "vm_plan_codec.h"

namespace trine::runtime::backend {
namespace {

/// Another trine may have other fields: a process must not get half of what another one was given.
constexpr std::string_view kVersion = "trine " TRINE_VERSION " process 1\n";

}  // namespace

std::string encode_process(const JoinedProcess& process) {
  return std::string(kVersion) + hvm::wire::encode(process);
}

std::optional<JoinedProcess> decode_process(std::string_view bytes) {
  if (!bytes.starts_with(kVersion))
    return std::nullopt;
  return hvm::wire::decode<JoinedProcess>(bytes.substr(kVersion.size()));
}

}  // namespace trine::runtime::backend
