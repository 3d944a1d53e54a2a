#include "hvm-sandbox/protocol.h"

#include "vm_network_codec.h"
#include "vm_plan_codec.h"

/// What comes over the control connection, from either side. What decodes must encode to the same bytes.
namespace {

using namespace trine;

template <class T>
void check(const std::string& payload) {
  const auto value = hvm::wire::decode<T>(payload);
  if (!value)
    return;
  const std::string again = hvm::wire::encode(*value);
  // A map's repeated keys come out once; everything else is the same.
  if (again.size() > payload.size())
    __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hvm::FrameReader reader;
  reader.append({reinterpret_cast<const char*>(data), size});
  while (const auto frame = reader.next()) {
    check<hvm::Ready>(frame->payload);
    check<hvm::StartRequest>(frame->payload);
    check<hvm::Failure>(frame->payload);
    check<hvm::TerminalSize>(frame->payload);
    check<hvm::Exit>(frame->payload);
    check<hvm::StreamHello>(frame->payload);
    check<std::vector<netns::Interface>>(frame->payload);
  }
  check<runtime::backend::GuestPlan>(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
