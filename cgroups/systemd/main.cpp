#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "bus.h"

/// trine-systemd: the part of trine that speaks to systemd. A program of its own, since systemd's library is
/// not to be had statically; it is run only when a container's cgroup is to be a unit of systemd.
///
///   trine-systemd [--user] start UNIT NAME=VALUE...   starts a transient unit, prints the path of its cgroup
///   trine-systemd [--user] set UNIT NAME=VALUE...     changes properties of a unit
///   trine-systemd [--user] stop UNIT                  stops a unit and forgets its failure
///   trine-systemd [--user] stop-empty UNIT            the same, when no process is in it
///
/// Values are in GVariant's text format.
namespace {

namespace systemd = trine::cgroups::systemd;
using trine::base::Error;

constexpr const char* kUsage = "usage: trine-systemd [--user] start|set|stop|stop-empty UNIT [NAME=VALUE]...";
/// Whatever happens in the library: the caller waits, and so does the engine behind it.
constexpr unsigned kMaximumSeconds = 60;

std::pair<std::string, systemd::Variant> parse_property(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos)
    throw Error(kUsage);
  const auto name = word.substr(0, equals);
  auto value = systemd::parse_variant(word.substr(equals + 1));
  if (!value)
    throw Error("cannot read the value of " + name + ": " + value.error());
  return {name, std::move(*value)};
}

void start(systemd::Bus& bus, const std::string& unit, const systemd::Bus::Properties& properties) {
  bus.start(unit, properties);
  // A process that ended before systemd moved it, but was not yet reaped, counts as moved: systemd would wait
  // for the end of an empty scope forever.
  const bool empty = bus.is_empty(unit);
  if (empty)
    bus.stop(unit);
  const auto group = empty ? "" : bus.control_group(unit);
  if (group.empty())
    throw Error("systemd started " + unit + ", but its process ended meanwhile");
  trine::base::write_all(STDOUT_FILENO, group + "\n", "the standard output");
}

void run(std::vector<std::string> words) {
  const bool user = !words.empty() && words.front() == "--user";
  if (user)
    words.erase(words.begin());
  if (words.size() < 2)
    throw Error(kUsage);
  const auto& verb = words[0];
  const auto& unit = words[1];
  systemd::Bus::Properties properties;
  for (std::size_t i = 2; i < words.size(); ++i)
    properties.push_back(parse_property(words[i]));

  if (verb != "start" && verb != "set" && verb != "stop" && verb != "stop-empty")
    throw Error(kUsage);
  systemd::Bus bus(user);
  if (verb == "start")
    return start(bus, unit, properties);
  if (verb == "set")
    return bus.set(unit, properties);
  if (verb == "stop" || bus.is_empty(unit))
    bus.stop(unit);
}

}  // namespace

int main(int count, char** words) {
  ::alarm(kMaximumSeconds);
  trine::base::set_program_name("trine-systemd");
  try {
    run({words + 1, words + count});
    return 0;
  } catch (const Error& error) {
    trine::base::print_error(error);
  } catch (const std::exception& error) {
    trine::base::print_error(error.what());
  }
  return 125;
}
