#include "seccomp_optimize.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "seccomp_specialize.h"

namespace trine::isolation {
namespace {

using Program = std::vector<sock_filter>;

/// Numbers from `first` up to the next range's, and what the filter does with them.
struct Range {
  std::uint32_t first;
  Program rest;
};

bool same(const Program& one, const Program& other) {
  return std::ranges::equal(one, other, [](const sock_filter& a, const sock_filter& b) {
    return std::tie(a.code, a.jt, a.jf, a.k) == std::tie(b.code, b.jt, b.jf, b.k);
  });
}

std::optional<std::vector<Range>> find_ranges(std::span<const sock_filter> program,
                                              const SeccompBoundaries& boundaries,
                                              std::uint32_t architecture) {
  std::vector<Range> ranges;
  for (const std::uint32_t first : boundaries.numbers) {
    auto rest = specialize(program, architecture, first);
    if (!rest)
      return std::nullopt;
    if (ranges.empty() || !same(ranges.back().rest, *rest))
      ranges.push_back({.first = first, .rest = std::move(*rest)});
  }
  return ranges;
}

/// A program put together from its end: whatever is jumped to is there already. A place is a count of
/// instructions from the end.
class Assembler {
 public:
  using Place = std::size_t;

  /// The place of a self-contained piece; an equal one that a jump reaches from here serves as well.
  Place add(const Program& piece) {
    for (const auto& [place, known] : pieces_) {
      if (is_near(place) && same(known, piece))
        return place;
    }
    reversed_.insert(reversed_.end(), piece.rbegin(), piece.rend());
    pieces_.emplace_back(reversed_.size(), piece);
    return reversed_.size();
  }

  Place branch(std::uint16_t operation, std::uint32_t value, Place if_true, Place if_false) {
    if_true = bring_near(if_true);
    if_false = bring_near(if_false);
    return push(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | operation | BPF_K), value, distance(if_true),
                         distance(if_false)));
  }

  /// Loads a word of seccomp_data and goes on at `next`.
  Place load(std::size_t offset, Place next) {
    if (next != reversed_.size())
      push(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(reversed_.size() - next)));
    return push(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }

  [[nodiscard]] Program finish() const { return {reversed_.rbegin(), reversed_.rend()}; }

 private:
  static constexpr std::size_t kReach = UINT8_MAX - 2;  // two jumps may come between

  Place push(const sock_filter& instruction) {
    reversed_.push_back(instruction);
    return reversed_.size();
  }
  [[nodiscard]] bool is_near(Place place) const { return reversed_.size() - place <= kReach; }
  Place bring_near(Place place) {
    if (is_near(place))
      return place;
    return push(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(reversed_.size() - place)));
  }
  [[nodiscard]] std::uint8_t distance(Place place) const {
    return static_cast<std::uint8_t>(reversed_.size() - place);
  }

  Program reversed_;
  std::vector<std::pair<Place, Program>> pieces_;
};

Assembler::Place add_search(Assembler& assembler, std::span<const Range> ranges) {
  if (ranges.size() == 1)
    return assembler.add(ranges.front().rest);
  const std::size_t middle = ranges.size() / 2;
  const auto upper = add_search(assembler, ranges.subspan(middle));
  const auto lower = add_search(assembler, ranges.first(middle));
  return assembler.branch(BPF_JGE, ranges[middle].first, upper, lower);
}

/// A value that none of the known architectures has, to learn what becomes of all others.
std::uint32_t other_than(const std::set<std::uint32_t>& architectures) {
  std::uint32_t other = 0;
  while (architectures.contains(other))
    ++other;
  return other;
}

}  // namespace

std::optional<std::vector<sock_filter>> optimize_seccomp(std::span<const sock_filter> program) {
  const auto boundaries = find_boundaries(program);
  if (!boundaries)
    return std::nullopt;
  Assembler assembler;
  const auto add_architecture = [&](std::uint32_t architecture) -> std::optional<Assembler::Place> {
    const auto ranges = find_ranges(program, *boundaries, architecture);
    if (!ranges)
      return std::nullopt;
    const auto search = add_search(assembler, *ranges);
    return ranges->size() == 1 ? search : assembler.load(offsetof(seccomp_data, nr), search);
  };
  auto next = add_architecture(other_than(boundaries->architectures));
  for (const std::uint32_t architecture : boundaries->architectures) {
    const auto own = add_architecture(architecture);
    if (!own || !next)
      return std::nullopt;
    next = assembler.branch(BPF_JEQ, architecture, *own, *next);
  }
  if (!next)
    return std::nullopt;
  assembler.load(offsetof(seccomp_data, arch), *next);
  return assembler.finish();
}

}  // namespace trine::isolation
