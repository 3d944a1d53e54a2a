#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "netns/traffic.h"
#include "runtime/backend/vm.h"

namespace trine::runtime::backend {

/// A guest in the place of a network namespace's interfaces: each is coupled with a tap, and the guest gets
/// its address, routes, MAC and MTU. The destructor gives the interfaces back; what a killed trine did not
/// give back, part_network() does.
class VmNetwork {
 public:
  /// Notes in `run_directory` what is to be given back. `queues`: of each interface. Throws base::Error when
  /// there is no such namespace, or another machine has it.
  VmNetwork(const std::string& network_namespace, const std::string& run_directory, unsigned queues = 1);
  ~VmNetwork();
  VmNetwork(const VmNetwork&) = delete;
  VmNetwork& operator=(const VmNetwork&) = delete;

  std::vector<VmNic> take_nics() { return std::move(nics_); }

 private:
  base::UniqueFd namespace_;
  std::vector<std::string> links_;
  std::vector<VmNic> nics_;
};

/// Gives back what the instance of this directory, whose monitor has ended, had of a network namespace.
void part_network(const std::string& run_directory);

/// What the guest of the instance of this directory has received and sent. None: it has no network, or its
/// namespace is gone.
std::vector<netns::Traffic> traffic_of_vm(const std::string& run_directory);

}  // namespace trine::runtime::backend
