#include <unistd.h>

#include <charconv>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "command.h"
#include "commands.h"
#include "control_group.h"
#include "runtime/backend/plan.h"
#include "runtime/backend/vm_update.h"
#include "store.h"
#include "vm_keeper.h"

namespace trine::runtime::oci_cli {
namespace {

using Text = const std::string&;
constexpr std::size_t kMaxResources = 1 << 20;

struct UpdateOptions {
  std::string file;  ///< "-": standard input
  oci::Resources resources;
};

std::int64_t parse_number(const char* flag, Text text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw base::Error(std::string(flag) + " '" + text + "' is no number");
  return value;
}

std::uint64_t parse_positive(const char* flag, Text text) {
  const std::int64_t value = parse_number(flag, text);
  if (value < 0)
    throw base::Error(std::string(flag) + " '" + text + "' is below 0");
  return static_cast<std::uint64_t>(value);
}

/// Bytes, with the suffixes that people write; -1 for no limit.
std::int64_t parse_bytes(const char* flag, Text text) {
  if (text == "-1")
    return -1;
  const auto size = base::parse_size(text);
  if (!size || *size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    throw base::Error(std::string(flag) + " '" + text + "' is no size", 0,
                      "as in 512m or 2g; -1 for no limit");
  return static_cast<std::int64_t>(*size);
}

void ignore(UpdateOptions&, Text) {}

constexpr args::Flag<UpdateOptions> kFlags[] = {
    {{"-r,--resources", "FILE", nullptr, "linux.resources as JSON; - for standard input"},
     [](UpdateOptions& o, Text v) { o.file = v; }},
    {{"--memory", "BYTES", nullptr, "memory"},
     [](UpdateOptions& o, Text v) { o.resources.memory.limit = parse_bytes("--memory", v); }},
    {{"--memory-swap", "BYTES", nullptr, "memory and swap together; -1 for no limit"},
     [](UpdateOptions& o, Text v) { o.resources.memory.swap = parse_bytes("--memory-swap", v); }},
    {{"--memory-reservation", "BYTES", nullptr, "what is left to it when memory is short"},
     [](UpdateOptions& o, Text v) {
       o.resources.memory.reservation = parse_bytes("--memory-reservation", v);
     }},
    {{"--cpu-share", "NUMBER", nullptr, "its weight against others"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.shares = parse_positive("--cpu-share", v); }},
    {{"--cpu-shares", "NUMBER", nullptr, "the same"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.shares = parse_positive("--cpu-shares", v); }},
    {{"--cpu-quota", "MICROSECONDS", nullptr, "time in each period; -1 for no limit"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.quota = parse_number("--cpu-quota", v); }},
    {{"--cpu-period", "MICROSECONDS", nullptr, "the period"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.period = parse_positive("--cpu-period", v); }},
    {{"--cpu-burst", "MICROSECONDS", nullptr, "time that may be saved up"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.burst = parse_positive("--cpu-burst", v); }},
    {{"--cpu-idle", "0|1", nullptr, "run only when nobody else wants to"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.idle = parse_number("--cpu-idle", v); }},
    {{"--cpu-rt-period", "MICROSECONDS", nullptr, "the period of realtime"},
     [](UpdateOptions& o, Text v) {
       o.resources.cpu.realtime_period = parse_positive("--cpu-rt-period", v);
     }},
    {{"--cpu-rt-runtime", "MICROSECONDS", nullptr, "realtime in each period"},
     [](UpdateOptions& o, Text v) {
       o.resources.cpu.realtime_runtime = parse_number("--cpu-rt-runtime", v);
     }},
    {{"--cpuset-cpus", "LIST", nullptr, "which CPUs, as in 0-2,4"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.cpus = v; }},
    {{"--cpuset-mems", "LIST", nullptr, "which memory nodes"},
     [](UpdateOptions& o, Text v) { o.resources.cpu.mems = v; }},
    {{"--pids-limit", "NUMBER", nullptr, "processes; -1 for no limit"},
     [](UpdateOptions& o, Text v) { o.resources.pids_limit = parse_number("--pids-limit", v); }},
    {{"--blkio-weight", "NUMBER", nullptr, "its weight for disks, 10 to 1000"},
     [](UpdateOptions& o, Text v) { o.resources.block_io.weight = parse_positive("--blkio-weight", v); }},
    {{"--kernel-memory", "BYTES", nullptr, "accepted; the kernel no longer limits it"}, ignore},
    {{"--kernel-memory-tcp", "BYTES", nullptr, "accepted; the kernel no longer limits it"}, ignore},
};

std::string read_resources(const std::string& file) {
  return file == "-" ? base::read_all(STDIN_FILENO, "the standard input", kMaxResources)
                     : base::read_file(file, kMaxResources);
}

}  // namespace

FlagTexts update_flags() {
  return args::flag_texts(kFlags);
}

int run_update(const Globals& globals, Arguments arguments) {
  UpdateOptions options;
  const auto rest = parse("update", kFlags, std::move(arguments), options, 1, 1);
  if (!options.file.empty())
    options.resources = oci::parse_resources(read_resources(options.file));
  const Container container = Container::open(globals.root, rest.front(), Container::Access::kChange);
  if (container.status() == Status::kStopped)
    throw base::Error("cannot update container " + rest.front() + ": container not running");
  cgroups::Limits limits = backend::make_limits(options.resources);
  if (container.state.vm) {
    limits = backend::update_guest(control_socket(globals, rest.front()), container.state.vm_memory,
                                   std::move(limits));
  }
  update_group(container.state, limits);
  return 0;
}

}  // namespace trine::runtime::oci_cli
