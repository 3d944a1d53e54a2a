#include "vm_machine.h"

namespace trine::runtime::backend {
namespace {

hvm::Frame answer_to(std::uint64_t request, const MonitorAnswer& answer) {
  if (answer.ok)
    return {.type = hvm::FrameType::kTaken, .request = request, .payload = {}};
  return {.type = hvm::FrameType::kFailed,
          .request = request,
          .payload = hvm::wire::encode(hvm::Failure{.message = answer.text})};
}

}  // namespace

bool VmMachine::take(const hvm::Frame& request) {
  const bool is_ours = request.type == hvm::FrameType::kPause || request.type == hvm::FrameType::kResume ||
                       request.type == hvm::FrameType::kBalloon;
  if (!is_ours)
    return false;
  if (ask(request))
    asked_.push_back({.type = request.type, .request = request.request});
  else
    refused_.push_back(answer_to(request.request, {.ok = false, .text = "its monitor does not take that"}));
  return true;
}

bool VmMachine::ask(const hvm::Frame& request) {
  if (request.type == hvm::FrameType::kPause)
    return monitor_.pause();
  if (request.type == hvm::FrameType::kResume)
    return monitor_.resume();
  const auto bytes = hvm::wire::decode<std::uint64_t>(request.payload);
  return bytes && monitor_.set_balloon(*bytes);
}

std::vector<hvm::Frame> VmMachine::take_answers() {
  std::vector<hvm::Frame> answers = std::exchange(refused_, {});
  while (const auto answer = monitor_.take_answer()) {
    if (asked_.empty())
      continue;  // nobody asked
    const Asked asked = asked_.front();
    asked_.pop_front();
    if (answer->ok && asked.type == hvm::FrameType::kPause)
      paused_ = true;
    if (answer->ok && asked.type == hvm::FrameType::kResume)
      paused_ = false;
    answers.push_back(answer_to(asked.request, *answer));
  }
  return answers;
}

}  // namespace trine::runtime::backend
