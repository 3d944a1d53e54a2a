#include "foreign.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "images/platform.h"
#include "layout.h"

namespace trine::runtime::engine {
namespace {

constexpr const char* kRegistered = "/proc/sys/fs/binfmt_misc";

/// What an ELF header says of an architecture. Source: elf(5), the EM_ numbers of the System V ABI.
struct Machine {
  std::string_view architecture;
  unsigned char bits;  ///< ELFCLASS32 1, ELFCLASS64 2
  unsigned char data;  ///< little-endian 1, big-endian 2
  std::uint16_t number;
};
constexpr std::array kMachines{
    Machine{"386", 1, 1, 3},     Machine{"amd64", 2, 1, 62},    Machine{"arm", 1, 1, 40},
    Machine{"arm64", 2, 1, 183}, Machine{"loong64", 2, 1, 258}, Machine{"mips", 1, 2, 8},
    Machine{"mips64", 2, 2, 8},  Machine{"mips64le", 2, 1, 8},  Machine{"mipsle", 1, 1, 8},
    Machine{"ppc64", 2, 2, 21},  Machine{"ppc64le", 2, 1, 21},  Machine{"riscv64", 2, 1, 243},
    Machine{"s390x", 2, 2, 22},
};

/// The beginning of a program: identification, type and machine. No entry for an architecture looks further.
constexpr std::size_t kHeader = 20;
using Header = std::array<unsigned char, kHeader>;

Header header_of(const Machine& machine) {
  constexpr std::size_t kType = 16;
  constexpr std::size_t kNumber = 18;
  constexpr unsigned char kExecutable = 2;
  Header header{0x7f, 'E', 'L', 'F', machine.bits, machine.data, 1};
  const bool big = machine.data == 2;
  header[big ? kType + 1 : kType] = kExecutable;
  header[big ? kNumber + 1 : kNumber] = static_cast<unsigned char>(machine.number & 0xffU);
  header[big ? kNumber : kNumber + 1] = static_cast<unsigned char>(machine.number >> 8U);
  return header;
}

int digit(char text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto found = kDigits.find(text);
  return found == std::string_view::npos ? 0 : static_cast<int>(found);
}

std::vector<unsigned char> from_hex(std::string_view text) {
  std::vector<unsigned char> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<unsigned char>(digit(text[i]) * 16 + digit(text[i + 1])));
  return bytes;
}

/// What stands behind `key` on a line of its own.
std::optional<std::string> value_of(const std::vector<std::string>& lines, std::string_view key) {
  for (const auto& line : lines) {
    if (line.starts_with(key))
      return std::string(base::trim(line.substr(key.size())));
  }
  return std::nullopt;
}

bool matches(const std::vector<std::string>& lines, const Header& header) {
  const auto magic = from_hex(value_of(lines, "magic ").value_or(""));
  const auto mask = from_hex(value_of(lines, "mask ").value_or(""));
  const std::size_t offset = base::parse_unsigned(value_of(lines, "offset ").value_or("0")).value_or(0);
  if (magic.empty() || offset > header.size())
    return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    const unsigned char cared = i < mask.size() ? mask[i] : 0xff;
    if (cared == 0)
      continue;
    if (offset + i >= header.size() || ((header[offset + i] ^ magic[i]) & cared) != 0)
      return false;
  }
  return true;
}

std::string read_or_empty(const std::string& path) {
  try {
    return base::read_file(path, 1 << 16);
  } catch (const base::Error&) {
    return {};  // not mounted, or gone since the directory was read
  }
}

/// The processor runs it without help; of arm on arm64 that is for the processor to tell.
bool is_native(const std::string& architecture) {
  const std::string own = images::own_platform().architecture;
  return architecture.empty() || architecture == own || (own == "amd64" && architecture == "386") ||
         (own == "arm64" && architecture == "arm");
}

std::string purpose(const images::ImageConfig& config, const std::string& image) {
  return "cannot run " + image + ": it is for " +
         images::Platform{.os = config.os, .architecture = config.architecture, .variant = config.variant}
             .text();
}

void check_system(const images::ImageConfig& config, const std::string& image) {
  if (!config.os.empty() && config.os != "linux")
    throw base::Error(purpose(config, image) + ", and this system is Linux");
}

}  // namespace

Interpreter find_interpreter(const std::string& directory, const std::string& architecture) {
  const auto* machine = std::ranges::find(kMachines, architecture, &Machine::architecture);
  if (machine == kMachines.end() || !read_or_empty(directory + "/status").starts_with("enabled"))
    return {};
  const Header header = header_of(*machine);
  Interpreter best;
  for (const auto& name : directory_entries(directory)) {
    if (name == "status" || name == "register")
      continue;
    const auto lines = base::split(read_or_empty(directory + "/" + name), '\n');
    if (lines.front() != "enabled" || !matches(lines, header))
      continue;
    best.path = value_of(lines, "interpreter ").value_or("");
    const bool held = value_of(lines, "flags:").value_or("").contains('F');
    best.state = held ? Interpreter::State::kReady : Interpreter::State::kInContainer;
    if (held)
      break;
  }
  return best;
}

void check_runs_here(const images::ImageConfig& config, const std::string& image) {
  check_system(config, image);
  if (is_native(config.architecture))
    return;
  const Interpreter interpreter = find_interpreter(kRegistered, config.architecture);
  if (interpreter.state == Interpreter::State::kReady)
    return;
  const std::string which = purpose(config, image) + ", this machine is " + images::own_platform().text();
  if (interpreter.state == Interpreter::State::kInContainer) {
    throw base::Error(which + ", and the interpreter " + interpreter.path +
                          " is registered without flag F: it would be looked for in the container",
                      0, "the package qemu-user-static registers its interpreters with flag F");
  }
  throw base::Error(which + ", and binfmt_misc has no interpreter enabled for it", 0,
                    "apt-get install qemu-user-static, or take the image for this machine: --platform " +
                        images::own_platform().text());
}

void check_runs_in_vm(const images::ImageConfig& config, const std::string& image) {
  check_system(config, image);
  if (is_native(config.architecture))
    return;
  throw base::Error(purpose(config, image) + ", and a VM runs programs for " + images::own_platform().text(),
                    0, "--isolation container runs it where qemu-user-static is installed");
}

}  // namespace trine::runtime::engine
