// Source: Linux Documentation/admin-guide/cgroup-v1/rdma.rst and cgroup-v2.rst, "RDMA".
#include <string>

#include "controllers.h"

namespace trine::cgroups {

void apply_rdma(const Directory& directory, const Limits& limits) {
  for (const auto& [device, limit] : limits.rdma) {
    std::string line = device;
    if (limit.hca_handles)
      line += " hca_handle=" + std::to_string(*limit.hca_handles);
    if (limit.hca_objects)
      line += " hca_object=" + std::to_string(*limit.hca_objects);
    if (line != device)
      directory.write("rdma.max", line, "RDMA");
  }
}

}  // namespace trine::cgroups
