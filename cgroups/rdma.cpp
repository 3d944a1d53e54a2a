// Source: Linux Documentation/admin-guide/cgroup-v1/rdma.rst and cgroup-v2.rst, "RDMA".
#include <string>

#include "controllers.h"
#include "figures.h"

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

void detail_rdma(const Directory& directory, Details& details) {
  details.rdma = parse_rdma(directory.read("rdma.current").value_or(""));
}

}  // namespace trine::cgroups
