#include <fcntl.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "isolation/seccomp.h"

namespace trine::isolation {
namespace {

constexpr std::size_t kMaxEntry = 1 << 20;
constexpr std::size_t kMaxEntries = 256;

void append(std::string& key, std::uint64_t number) {
  key.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append(std::string& key, std::string_view text) {
  append(key, text.size());
  key.append(text);
}

/// Everything that the filter depends on, without ambiguity.
std::string serialize(const SeccompProfile& profile) {
  utsname kernel{};
  ::uname(&kernel);
  const scmp_version* library = ::seccomp_version();
  std::string key = "trine seccomp 2";
  append(key, kernel.release);
  append(key, kernel.machine);
  for (const unsigned part : {library->major, library->minor, library->micro})
    append(key, part);
  append(key, static_cast<std::uint64_t>(profile.default_action));
  append(key, profile.default_errno);
  append(key, profile.flags);
  append(key, profile.architectures.size());
  for (const auto architecture : profile.architectures)
    append(key, architecture);
  for (const auto& rule : profile.rules) {
    append(key, static_cast<std::uint64_t>(rule.action));
    append(key, rule.errno_value);
    append(key, rule.arguments.size());
    for (const auto& argument : rule.arguments) {
      append(key, argument.index);
      append(key, argument.value);
      append(key, argument.value_two);
      append(key, static_cast<std::uint64_t>(argument.compare));
    }
    append(key, rule.syscalls.size());
    for (const auto& name : rule.syscalls)
      append(key, name);
  }
  return key;
}

/// FNV-1a, 64 bits: names the file only. What is in it is compared whole.
std::string hash(std::string_view key) {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  for (const char c : key)
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4)
    text += "0123456789abcdef"[(value >> shift) & 15];
  return text;
}

/// The program stored for exactly this key, or nothing. A file is a length, the key, the program.
std::string load(const std::string& path, std::string_view key) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_uid != ::geteuid() || (status.st_mode & 022) != 0 ||
      status.st_size > static_cast<off_t>(kMaxEntry)) {
    return {};
  }
  std::string data(static_cast<std::size_t>(status.st_size), '\0');
  if (::read(file.get(), data.data(), data.size()) != status.st_size)
    return {};
  std::uint64_t length = 0;
  if (data.size() < sizeof length)
    return {};
  std::memcpy(&length, data.data(), sizeof length);
  if (length != key.size() || data.size() - sizeof length <= length)
    return {};
  if (std::string_view(data).substr(sizeof length, length) != key)
    return {};
  return data.substr(sizeof length + length);
}

/// Makes room for one more: whoever starts containers with ever new profiles must not fill the run directory.
void evict(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    entries.push_back(*entry);
  }
  if (entries.size() < kMaxEntries)
    return;
  const auto oldest = std::ranges::min_element(entries, {}, [](const fs::directory_entry& entry) {
    std::error_code gone;  // another trine may evict, too
    return entry.last_write_time(gone);
  });
  fs::remove(oldest->path(), error);
}

void store(const std::string& directory, const std::string& name, std::string_view key,
           std::string_view program) {
  try {
    base::make_directories(directory, 0700);
    evict(directory);
    const base::UniqueFd parent = base::open_file(directory, O_RDONLY | O_DIRECTORY);
    std::string data;
    append(data, key);
    data += program;
    base::replace_file(parent.get(), name, data, base::Durability::kMemory, 0600);
  } catch (const base::Error&) {
    // Only the next start's time is lost.
  }
}

}  // namespace

SeccompFilter cached_seccomp(const SeccompProfile& profile, const std::string& cache_directory) {
  const std::string key = serialize(profile);
  const std::string name = hash(key);
  SeccompFilter filter{.program = load(cache_directory + "/" + name, key),
                       .flags = profile.flags,
                       .notifies = profile.notifies()};
  if (!filter.program.empty())
    return filter;
  filter = compile_seccomp(profile);
  store(cache_directory, name, key, filter.program);
  return filter;
}

}  // namespace trine::isolation
