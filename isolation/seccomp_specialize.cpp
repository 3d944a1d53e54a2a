#include "seccomp_specialize.h"

#include <linux/seccomp.h>

#include <compare>
#include <cstddef>
#include <map>

namespace trine::isolation {
namespace {

constexpr std::uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t kAnd = BPF_ALU | BPF_AND | BPF_K;
constexpr std::uint16_t kGoto = BPF_JMP | BPF_JA;
constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

bool is_branch(const sock_filter& instruction) {
  return BPF_CLASS(instruction.code) == BPF_JMP && BPF_SRC(instruction.code) == BPF_K &&
         instruction.code != kGoto;
}

bool holds(const sock_filter& branch, std::uint32_t value) {
  switch (BPF_OP(branch.code)) {
    case BPF_JEQ:
      return value == branch.k;
    case BPF_JGT:
      return value > branch.k;
    case BPF_JGE:
      return value >= branch.k;
    default:  // BPF_JSET
      return (value & branch.k) != 0;
  }
}

/// What the accumulator holds.
enum class Content : std::uint8_t { kNothing, kArchitecture, kNumber, kOther };

Content content_after(const sock_filter& instruction, Content before) {
  if (instruction.code != kLoad)
    return before;
  if (instruction.k == offsetof(seccomp_data, arch))
    return Content::kArchitecture;
  return instruction.k == offsetof(seccomp_data, nr) ? Content::kNumber : Content::kOther;
}

/// Notes what a branch on the number or the architecture compares with. False: not understood.
bool note(const sock_filter& branch, Content content, SeccompBoundaries& boundaries) {
  const auto operation = BPF_OP(branch.code);
  if (content == Content::kArchitecture) {
    boundaries.architectures.insert(branch.k);
    return operation == BPF_JEQ;
  }
  if (content != Content::kNumber)
    return true;
  if (operation == BPF_JSET) {  // the bit of x32, and no other
    boundaries.numbers.insert({1U << 30, 2U << 30, 3U << 30});
    return branch.k == 1U << 30;
  }
  if (operation != BPF_JGT)
    boundaries.numbers.insert(branch.k);
  if (operation != BPF_JGE && branch.k != UINT32_MAX)
    boundaries.numbers.insert(branch.k + 1);
  return true;
}

/// A place in the filter, and the accumulator when it is known there.
struct State {
  std::size_t at = 0;
  std::optional<std::uint32_t> value = 0;
  auto operator<=>(const State&) const = default;
};

class Specializer {
 public:
  Specializer(std::span<const sock_filter> program, std::uint32_t architecture, std::uint32_t number)
      : program_(program), architecture_(architecture), number_(number) {}

  std::optional<std::vector<sock_filter>> run() {
    const State start = settle({});
    collect(start);
    // From the end to the start: a jump's target has its place already.
    for (auto entry = targets_.rbegin(); entry != targets_.rend() && understood_; ++entry)
      emit(entry->first, entry->second);
    if (!understood_)
      return std::nullopt;
    return std::vector<sock_filter>(reversed_.rbegin(), reversed_.rend());
  }

 private:
  struct Targets {
    State if_true, if_false;  ///< if_true alone for what is no branch
  };

  /// Follows what is decided already, to the next instruction that has to stay.
  State settle(State state) {
    while (state.at < program_.size()) {
      const sock_filter& now = program_[state.at];
      const bool known = state.value.has_value();
      if (now.code == kLoad && now.k == offsetof(seccomp_data, arch)) {
        state = {state.at + 1, architecture_};
      } else if (now.code == kLoad && now.k == offsetof(seccomp_data, nr)) {
        state = {state.at + 1, number_};
      } else if (now.code == kGoto) {
        state.at += 1 + std::size_t{now.k};
      } else if (is_branch(now) && known) {
        state.at += 1 + std::size_t{holds(now, *state.value) ? now.jt : now.jf};
      } else if (now.code == kAnd && known) {
        state = {state.at + 1, *state.value & now.k};
      } else if (now.code == kLoad || now.code == kReturn) {
        return {state.at, std::nullopt};  // whatever the accumulator holds
      } else {
        understood_ = understood_ && (is_branch(now) || now.code == kAnd);
        return state;
      }
    }
    understood_ = false;
    return {};
  }

  /// All states that can be reached, each once: as many as the filter is long, at most.
  void collect(const State& start) {
    std::vector<State> open{start};
    while (!open.empty() && understood_) {
      const State state = open.back();
      open.pop_back();
      if (targets_.contains(state))
        continue;
      const sock_filter& now = program_[state.at];
      Targets& targets = targets_[state];
      if (now.code == kReturn)
        continue;
      if (is_branch(now)) {
        targets = {settle({state.at + 1 + now.jt, std::nullopt}),
                   settle({state.at + 1 + now.jf, std::nullopt})};
        open.push_back(targets.if_false);
      } else {
        targets.if_true = settle({state.at + 1, std::nullopt});
      }
      open.push_back(targets.if_true);
    }
  }

  void emit(const State& state, const Targets& targets) {
    sock_filter now = program_[state.at];
    if (is_branch(now)) {
      const std::size_t if_true = distance(targets.if_true);
      const std::size_t if_false = distance(targets.if_false);
      understood_ = understood_ && if_true <= UINT8_MAX && if_false <= UINT8_MAX;
      now.jt = static_cast<std::uint8_t>(if_true);
      now.jf = static_cast<std::uint8_t>(if_false);
    } else if (now.code != kReturn && distance(targets.if_true) != 0) {
      reversed_.push_back(BPF_STMT(kGoto, static_cast<std::uint32_t>(distance(targets.if_true))));
    }
    places_[state] = reversed_.size();
    reversed_.push_back(now);
  }

  /// How many instructions lie between the next one to emit and a place.
  std::size_t distance(const State& target) { return reversed_.size() - places_.at(target) - 1; }

  std::span<const sock_filter> program_;
  std::uint32_t architecture_;
  std::uint32_t number_;
  bool understood_ = true;
  std::map<State, Targets> targets_;  // by place: jumps go forward
  std::map<State, std::size_t> places_;
  std::vector<sock_filter> reversed_;
};

}  // namespace

std::optional<SeccompBoundaries> find_boundaries(std::span<const sock_filter> program) {
  SeccompBoundaries boundaries{.architectures = {}, .numbers = {0}};
  std::set<std::pair<std::size_t, Content>> seen;
  std::vector<std::pair<std::size_t, Content>> open{{0, Content::kNothing}};
  while (!open.empty()) {
    const auto [at, content] = open.back();
    open.pop_back();
    if (at >= program.size())
      return std::nullopt;
    if (!seen.emplace(at, content).second)
      continue;
    const sock_filter& now = program[at];
    if (now.code == kReturn)
      continue;
    if (now.code == kGoto) {
      open.emplace_back(at + 1 + now.k, content);
    } else if (is_branch(now)) {
      if (!note(now, content, boundaries))
        return std::nullopt;
      open.emplace_back(at + 1 + now.jt, content);
      open.emplace_back(at + 1 + now.jf, content);
    } else if (now.code == kLoad || (now.code == kAnd && content == Content::kOther)) {
      open.emplace_back(at + 1, content_after(now, content));
    } else {
      return std::nullopt;
    }
  }
  return boundaries;
}

std::optional<std::vector<sock_filter>> specialize(std::span<const sock_filter> program,
                                                   std::uint32_t architecture, std::uint32_t number) {
  return Specializer(program, architecture, number).run();
}

}  // namespace trine::isolation
