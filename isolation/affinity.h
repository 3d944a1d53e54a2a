#pragma once

#include <vector>

namespace trine::isolation {

/// Binds the calling thread to `cpus`. Throws Error naming them.
void set_affinity(const std::vector<unsigned>& cpus);

/// Runs the calling thread on other CPUs for a while: its children begin there. An empty list changes
/// nothing.
class AffinityVisit {
 public:
  explicit AffinityVisit(const std::vector<unsigned>& cpus);
  ~AffinityVisit();
  AffinityVisit(const AffinityVisit&) = delete;
  AffinityVisit& operator=(const AffinityVisit&) = delete;

 private:
  std::vector<unsigned long> own_;  ///< empty: nothing to go back to
};

}  // namespace trine::isolation
