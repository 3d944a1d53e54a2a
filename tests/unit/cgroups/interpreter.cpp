#include "interpreter.h"

#include <array>
#include <cstring>

namespace {

struct Machine {
  std::array<std::uint64_t, 11> registers{};
  std::size_t next = 0;
};

bool load(Machine& machine, const bpf_insn& instruction, const bpf_cgroup_dev_ctx& context) {
  if (instruction.code != (BPF_LDX | BPF_MEM | BPF_W) || instruction.src_reg != BPF_REG_1)
    return false;
  if (instruction.off < 0 || instruction.off + 4 > static_cast<int>(sizeof context))
    return false;
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const char*>(&context) + instruction.off, sizeof word);
  machine.registers[instruction.dst_reg] = word;
  return true;
}

bool calculate(Machine& machine, const bpf_insn& instruction, bool wide) {
  auto& target = machine.registers[instruction.dst_reg];
  const std::uint64_t operand = BPF_SRC(instruction.code) == BPF_X
                                    ? machine.registers[instruction.src_reg]
                                    : static_cast<std::uint64_t>(static_cast<std::int64_t>(instruction.imm));
  switch (BPF_OP(instruction.code)) {
    case BPF_MOV:
      target = operand;
      break;
    case BPF_AND:
      target &= operand;
      break;
    case BPF_RSH:
      target = wide ? target >> operand : static_cast<std::uint32_t>(target) >> operand;
      break;
    default:
      return false;
  }
  if (!wide)
    target = static_cast<std::uint32_t>(target);
  return true;
}

bool jump(Machine& machine, const bpf_insn& instruction, bool wide) {
  const std::uint64_t mask = wide ? ~0ULL : 0xffff'ffffULL;
  const auto left = machine.registers[instruction.dst_reg] & mask;
  const auto right = static_cast<std::uint64_t>(static_cast<std::int64_t>(instruction.imm)) & mask;
  bool taken = false;
  switch (BPF_OP(instruction.code)) {
    case BPF_JA:
      taken = true;
      break;
    case BPF_JEQ:
      taken = left == right;
      break;
    case BPF_JNE:
      taken = left != right;
      break;
    case BPF_JSET:
      taken = (left & right) != 0;
      break;
    default:
      return false;
  }
  if (taken)
    machine.next += static_cast<std::size_t>(static_cast<std::ptrdiff_t>(instruction.off));
  return true;
}

}  // namespace

std::optional<std::uint64_t> interpret(const std::vector<bpf_insn>& program,
                                       const bpf_cgroup_dev_ctx& context) {
  Machine machine;
  for (std::size_t steps = 0; steps <= program.size(); ++steps) {
    if (machine.next >= program.size())
      return std::nullopt;
    const auto& instruction = program[machine.next++];
    if (instruction.code == (BPF_JMP | BPF_EXIT))
      return machine.registers[BPF_REG_0];
    bool known = false;
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LDX:
        known = load(machine, instruction, context);
        break;
      case BPF_ALU:
      case BPF_ALU64:
        known = calculate(machine, instruction, BPF_CLASS(instruction.code) == BPF_ALU64);
        break;
      case BPF_JMP:
      case BPF_JMP32:
        known = jump(machine, instruction, BPF_CLASS(instruction.code) == BPF_JMP);
        break;
      default:
        break;
    }
    if (!known)
      return std::nullopt;
  }
  return std::nullopt;
}
