#include "figures.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"

namespace trine::cgroups {
namespace {

/// Calls `take` with the words of each line that has any.
template <typename Take>
void each_line(std::string_view text, const Take& take) {
  for (const auto& line : base::split(text, '\n', base::SplitEmpty::kSkip)) {
    const auto words = base::split(line, ' ', base::SplitEmpty::kSkip);
    if (!words.empty())
      take(words);
  }
}

/// "key=value"
std::pair<std::string_view, std::string_view> pair_of(std::string_view word) {
  const auto equals = word.find('=');
  if (equals == std::string_view::npos)
    return {word, {}};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

double decimal(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "8:0"
std::optional<IoEntry> device_of(std::string_view word) {
  const auto colon = word.find(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  const auto major = base::parse_unsigned(word.substr(0, colon));
  const auto minor = base::parse_unsigned(word.substr(colon + 1));
  if (!major || !minor)
    return std::nullopt;
  return IoEntry{.major = static_cast<std::uint32_t>(*major),
                 .minor = static_cast<std::uint32_t>(*minor),
                 .operation = {},
                 .value = 0};
}

PressureLine pressure_line(const std::vector<std::string>& words) {
  PressureLine line;
  for (const auto& word : words) {
    const auto [key, value] = pair_of(word);
    if (key == "avg10")
      line.avg10 = decimal(value);
    if (key == "avg60")
      line.avg60 = decimal(value);
    if (key == "avg300")
      line.avg300 = decimal(value);
    if (key == "total")
      line.total_us = base::parse_unsigned(value).value_or(0);
  }
  return line;
}

struct IoStatKey {
  std::string_view key;
  const char* operation;
  std::vector<IoEntry> IoDetails::* list;
};
constexpr IoStatKey kIoStatKeys[] = {
    {"rbytes", "Read", &IoDetails::bytes},     {"wbytes", "Write", &IoDetails::bytes},
    {"dbytes", "Discard", &IoDetails::bytes},  {"rios", "Read", &IoDetails::operations},
    {"wios", "Write", &IoDetails::operations}, {"dios", "Discard", &IoDetails::operations},
};

}  // namespace

std::map<std::string, std::uint64_t> parse_keyed(std::string_view text) {
  std::map<std::string, std::uint64_t> values;
  each_line(text, [&values](const auto& words) {
    const auto number = words.size() == 2 ? base::parse_unsigned(words[1]) : std::nullopt;
    if (number)
      values[words[0]] = *number;
  });
  return values;
}

std::vector<std::uint64_t> parse_numbers(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  for (const auto& word : base::split(base::trim(text), ' ', base::SplitEmpty::kSkip)) {
    const auto number = base::parse_unsigned(word);
    if (!number)
      break;
    numbers.push_back(*number);
  }
  return numbers;
}

Pressure parse_pressure(std::string_view text) {
  Pressure pressure;
  each_line(text, [&pressure](const auto& words) {
    if (words[0] == "some")
      pressure.some = pressure_line(words);
    if (words[0] == "full")
      pressure.full = pressure_line(words);
  });
  return pressure;
}

std::vector<IoEntry> parse_blkio(std::string_view text) {
  std::vector<IoEntry> entries;
  each_line(text, [&entries](const auto& words) {
    auto entry = device_of(words[0]);
    if (!entry || words.size() < 2 || words.size() > 3)
      return;
    const auto value = base::parse_unsigned(words.back());
    if (!value)
      return;
    entry->value = *value;
    if (words.size() == 3)
      entry->operation = words[1];
    entries.push_back(std::move(*entry));
  });
  return entries;
}

void parse_io_stat(std::string_view text, IoDetails& io) {
  each_line(text, [&io](const auto& words) {
    const auto device = device_of(words[0]);
    if (!device)
      return;
    for (const auto& word : words) {
      const auto [name, value] = pair_of(word);
      const auto known = std::ranges::find(kIoStatKeys, name, &IoStatKey::key);
      const auto number = base::parse_unsigned(value);
      if (known == std::end(kIoStatKeys) || !number)
        continue;
      auto entry = *device;
      entry.operation = known->operation;
      entry.value = *number;
      (io.*known->list).push_back(std::move(entry));
    }
  });
}

std::map<std::string, RdmaLimit> parse_rdma(std::string_view text) {
  std::map<std::string, RdmaLimit> devices;
  each_line(text, [&devices](const auto& words) {
    RdmaLimit& device = devices[words[0]];
    for (const auto& word : words) {
      const auto [key, value] = pair_of(word);
      const auto number = base::parse_unsigned(value);
      if (key == "hca_handle" && number)
        device.hca_handles = static_cast<std::uint32_t>(*number);
      if (key == "hca_object" && number)
        device.hca_objects = static_cast<std::uint32_t>(*number);
    }
  });
  return devices;
}

std::vector<std::string> hugepage_sizes(const std::vector<std::string>& files) {
  std::vector<std::string> sizes;
  for (const auto& file : files) {
    const auto parts = base::split(file, '.');
    if (parts.size() > 2 && parts[0] == "hugetlb")
      sizes.push_back(parts[1]);
  }
  std::ranges::sort(sizes);
  const auto [first, last] = std::ranges::unique(sizes);
  sizes.erase(first, last);
  return sizes;
}

MemoryUsage read_usage(const Directory& directory, const UsageFiles& files) {
  const auto number = [&directory](const std::string& file) {
    return file.empty() ? std::nullopt : directory.read_number(file.c_str());
  };
  MemoryUsage usage{.bytes = number(files.current), .peak_bytes = number(files.peak)};
  usage.failures = number(files.failures);
  usage.limit_bytes = number(files.limit);
  return usage;
}

}  // namespace trine::cgroups
