#include "devices_program.h"

#include <cstddef>
#include <ranges>

namespace trine::cgroups {
namespace {

// Registers: what the kernel asks about, taken apart once at the beginning.
constexpr std::uint8_t kResult = BPF_REG_0;
constexpr std::uint8_t kContext = BPF_REG_1;
constexpr std::uint8_t kType = BPF_REG_2;
constexpr std::uint8_t kAccess = BPF_REG_3;
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;
constexpr std::uint8_t kScratch = BPF_REG_6;

bpf_insn instruction(int code, std::uint8_t destination, std::uint8_t source, std::int16_t offset,
                     std::int32_t immediate) {
  bpf_insn insn{};
  insn.code = static_cast<std::uint8_t>(code);
  insn.dst_reg = destination & 15;
  insn.src_reg = source & 15;
  insn.off = offset;
  insn.imm = immediate;
  return insn;
}

bpf_insn load(std::uint8_t to, std::size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<std::int16_t>(offset), 0);
}
bpf_insn copy(std::uint8_t to, std::uint8_t from) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0);
}
bpf_insn alu(int operation, std::uint8_t on, std::int32_t value) {
  return instruction(BPF_ALU | operation | BPF_K, on, 0, 0, value);
}

/// A jump over the rest of a rule; its distance is filled in when that is known.
bpf_insn skip_unless(int condition, std::uint8_t value, std::int32_t with) {
  return instruction(BPF_JMP32 | condition | BPF_K, value, 0, 0, with);
}

std::int32_t access_mask(const std::string& access) {
  std::int32_t mask = 0;
  for (const char c : access) {
    if (c == 'm')
      mask |= BPF_DEVCG_ACC_MKNOD;
    if (c == 'r')
      mask |= BPF_DEVCG_ACC_READ;
    if (c == 'w')
      mask |= BPF_DEVCG_ACC_WRITE;
  }
  return mask;
}

/// An allowing rule must grant all that is asked for at once, a denying one takes away any part of it.
void match_access(std::vector<bpf_insn>& rule, const DeviceRule& wanted) {
  const std::int32_t mask = access_mask(wanted.access);
  constexpr std::int32_t kAll = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
  if (mask == kAll)
    return;
  rule.push_back(copy(kScratch, kAccess));
  rule.push_back(alu(BPF_AND, kScratch, wanted.allow ? (kAll & ~mask) : mask));
  rule.push_back(skip_unless(wanted.allow ? BPF_JNE : BPF_JEQ, kScratch, 0));
}

std::vector<bpf_insn> match(const DeviceRule& wanted) {
  std::vector<bpf_insn> rule;
  if (wanted.type != 'a') {
    rule.push_back(
        skip_unless(BPF_JNE, kType, wanted.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    match_access(rule, wanted);
    if (wanted.major)
      rule.push_back(skip_unless(BPF_JNE, kMajor, static_cast<std::int32_t>(*wanted.major)));
    if (wanted.minor)
      rule.push_back(skip_unless(BPF_JNE, kMinor, static_cast<std::int32_t>(*wanted.minor)));
  }
  rule.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, kResult, 0, 0, wanted.allow ? 1 : 0));
  rule.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  for (std::size_t i = 0; i < rule.size(); ++i) {
    const bool jump = BPF_CLASS(rule[i].code) == BPF_JMP32;
    if (jump)
      rule[i].off = static_cast<std::int16_t>(rule.size() - i - 1);
  }
  return rule;
}

}  // namespace

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> program{load(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
                                copy(kAccess, kType),
                                alu(BPF_AND, kType, 0xffff),
                                alu(BPF_RSH, kAccess, 16),
                                load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
                                load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor))};
  // The last rule that matches decides: asked first, it is the first that answers.
  for (const auto& rule : rules | std::views::reverse) {
    const auto part = match(rule);
    program.insert(program.end(), part.begin(), part.end());
    if (rule.type == 'a')
      return program;  // matches everything; the verifier refuses code that is never reached
  }
  program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, kResult, 0, 0, 0));
  program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  return program;
}

}  // namespace trine::cgroups
