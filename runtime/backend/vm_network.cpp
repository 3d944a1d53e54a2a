#include "runtime/backend/vm_network.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "netns/interfaces.h"
#include "netns/tap.h"
#include "runtime/backend/network_namespace.h"

namespace trine::runtime::backend {
namespace {

/// In the instance's directory: the namespace's number, its path, then its links, each on a line.
constexpr const char* kNetworkFile = "network";

/// Tells a namespace from another that has come to its path.
std::string identity(int network_namespace) {
  struct stat status{};
  if (::fstat(network_namespace, &status) != 0)
    base::throw_errno("cannot look at the network namespace");
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

void check_addresses(const std::vector<netns::Interface>& interfaces, const std::string& path) {
  std::set<std::string> macs;
  for (const netns::Interface& interface : interfaces) {
    if (!macs.insert(interface.mac).second)
      throw base::Error("two network interfaces of " + path + " have the link address of " + interface.name,
                        0,
                        "a guest tells its interfaces by it: ip link set " + interface.name + " address …");
  }
}

/// What an instance's directory says of its network.
struct Noted {
  base::UniqueFd network_namespace;  ///< -1: there is none, or it is gone and its interfaces with it
  std::vector<std::string> links;
};

Noted read_note(const std::string& run_directory) {
  const std::string file = run_directory + "/" + kNetworkFile;
  if (::access(file.c_str(), R_OK) != 0)
    return {};
  const auto lines = base::split(base::read_file(file), '\n', base::SplitEmpty::kSkip);
  if (lines.size() < 2 || ::access(lines[1].c_str(), R_OK) != 0)
    return {};
  base::UniqueFd network_namespace(::open(lines[1].c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!network_namespace || identity(network_namespace.get()) != lines[0])
    return {};
  return {.network_namespace = std::move(network_namespace), .links = {lines.begin() + 2, lines.end()}};
}

void part(int network_namespace, const std::string& link) noexcept {
  try {
    netns::part_tap(network_namespace, link);
  } catch (const base::Error& error) {
    base::print_warning(error.what());
  }
}

}  // namespace

VmNetwork::VmNetwork(const std::string& network_namespace, const std::string& run_directory, unsigned queues)
    : namespace_(open_network_namespace(network_namespace)) {
  const auto interfaces = netns::interfaces_of(namespace_.get());
  check_addresses(interfaces, network_namespace);
  std::string note = identity(namespace_.get()) + "\n" + network_namespace + "\n";
  for (const netns::Interface& interface : interfaces)
    note += interface.name + "\n";
  const base::UniqueFd directory = base::open_file(run_directory, O_RDONLY | O_DIRECTORY);
  base::replace_file(directory.get(), kNetworkFile, note, base::Durability::kMemory, 0600);
  try {
    for (const netns::Interface& interface : interfaces) {
      nics_.push_back(
          {.taps = netns::join_tap(namespace_.get(), interface.name, queues), .interface = interface});
      links_.push_back(interface.name);
    }
  } catch (const base::Error&) {
    nics_.clear();
    for (const std::string& link : links_)
      part(namespace_.get(), link);
    throw;
  }
}

VmNetwork::~VmNetwork() {
  nics_.clear();
  for (const std::string& link : links_)
    part(namespace_.get(), link);
}

void part_network(const std::string& run_directory) {
  const Noted noted = read_note(run_directory);
  for (const std::string& link : noted.links)
    part(noted.network_namespace.get(), link);
}

std::vector<netns::Traffic> traffic_of_vm(const std::string& run_directory) {
  const Noted noted = read_note(run_directory);
  if (!noted.network_namespace)
    return {};
  return netns::traffic_of_machine(noted.network_namespace.get());
}

}  // namespace trine::runtime::backend
